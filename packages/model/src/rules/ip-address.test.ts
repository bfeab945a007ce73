import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { ipOctets, isLoopback, plainAddress, reverseName } from './ip-address.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['mail.one.test', 'mail.one.test'],
  ['', ''],
])('%s is %s', (given, plain) => expect(plainAddress(given)).toBe(plain))

test('every way to write an IPv6 address gives the same octets', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      // Node's own parser is the oracle: URL prints the canonical form.
      const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
      expect(ipOctets(address)).toEqual(ipOctets(canonical))
      expect([4, 16]).toContain(ipOctets(address)?.length)
    }),
    { seed: 4291, numRuns: 300 },
  )
})

test('only 127.0.0.0/8 and ::1 are loopback, however they are written', () => {
  for (const address of ['127.0.0.1', '127.255.0.9', '::1', '0:0::0:1', '::ffff:127.0.0.1']) {
    expect(isLoopback(address), address).toBe(true)
  }
  for (const address of ['128.0.0.1', '10.0.0.127', '::', '::2', '1::1', '::127.0.0.1', '127.0.0', 'localhost', '']) {
    expect(isLoopback(address), address).toBe(false)
  }
})

describe('reverseName', () => {
  it('turns IPv4 round (RFC 1035 §3.5)', () => {
    expect(reverseName('192.0.2.1')).toBe('1.2.0.192.in-addr.arpa')
  })

  it('spells IPv6 in nibbles (the example of RFC 3596 §2.5)', () => {
    expect(reverseName('4321:0:1:2:3:4:567:89ab')).toBe(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
    )
    expect(reverseName('::1')).toBe(`1.${'0.'.repeat(31)}ip6.arpa`)
    expect(reverseName('::')).toBe(`${'0.'.repeat(32)}ip6.arpa`)
    expect(reverseName('2001:db8::')).toBe(`${'0.'.repeat(24)}8.b.d.0.1.0.0.2.ip6.arpa`)
    expect(reverseName('fe80::1%eth0')).toBe(`1.${'0.'.repeat(28)}8.e.f.ip6.arpa`)
  })

  it('asks a DNS list below another suffix (RFC 5782 §2.1, §2.4)', () => {
    expect(reverseName('192.0.2.99', 'bad.example.com')).toBe('99.2.0.192.bad.example.com')
    expect(reverseName('2001:db8:1:2:3:4:567:89ab', 'ugly.example.com')).toBe(
      'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com',
    )
  })

  it('takes an IPv4 address that a dual-stack socket reports as IPv4', () => {
    expect(reverseName('::ffff:192.0.2.1')).toBe('1.2.0.192.in-addr.arpa')
    expect(reverseName('::ffff:c000:201')).toBe('1.2.0.192.in-addr.arpa')
    expect(reverseName('64:ff9b::192.0.2.1')).toBe(`1.0.2.0.0.0.0.c.${'0.'.repeat(16)}b.9.f.f.4.6.0.0.ip6.arpa`)
  })

  it('throws for what is no address', () => {
    expect(() => reverseName('one.test')).toThrow(TypeError)
    expect(() => reverseName('192.0.2')).toThrow('192.0.2')
  })
})

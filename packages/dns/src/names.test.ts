import { describe, expect, it } from 'vitest'
import { canonicalName, reverseName } from './names.ts'

describe('canonicalName', () => {
  it('makes every spelling of a name one string', () => {
    expect(canonicalName('One.Test.')).toBe('one.test')
    expect(canonicalName('one.test')).toBe('one.test')
    expect(canonicalName('_25._tcp.MX.one.test')).toBe('_25._tcp.mx.one.test')
    expect(canonicalName('.')).toBe('')
    expect(canonicalName('')).toBe('')
  })

  it('takes the longest label and the longest name, and no longer ones (RFC 1035 §2.3.4)', () => {
    const label = 'a'.repeat(63)
    expect(canonicalName(`${label}.test`)).toBe(`${label}.test`)
    expect(canonicalName(`${label}a.test`)).toBeUndefined()
    const longest = `${label}.${label}.${label}.${'a'.repeat(61)}`
    expect(longest).toHaveLength(253)
    expect(canonicalName(`${longest}.`)).toBe(longest)
    expect(canonicalName(`${longest}a`)).toBeUndefined()
  })

  it('refuses what is no name', () => {
    for (const text of ['a..b', '.a', 'a..', '..', 'a b', 'a\nb', 'bücher.test', 'a\0.test']) {
      expect(canonicalName(text), JSON.stringify(text)).toBeUndefined()
    }
  })
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

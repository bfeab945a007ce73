import { expect, test } from 'vitest'
import { plainAddress, reverseZoneName } from './address-octets.ts'

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:0201', '192.0.2.1'],
  ['2001:DB8:0:0::1', '2001:db8::1'],
  ['fe80::1%eth0', 'fe80::1'],
  ['mail.one.test', undefined],
  ['', undefined],
])('%s is %s', (given, plain) => expect(plainAddress(given)).toBe(plain))

test('the reverse names of RFC 1035 §3.5 and RFC 3596 §2.5', () => {
  expect(reverseZoneName('10.2.0.52')).toBe('52.0.2.10.in-addr.arpa')
  expect(reverseZoneName('4321:0:1:2:3:4:567:89ab')).toBe(
    'b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.ip6.arpa',
  )
  expect(reverseZoneName('2001:db8::')).toBe(`${'0.'.repeat(24)}8.b.d.0.1.0.0.2.ip6.arpa`)
  expect(reverseZoneName('::1')).toBe(`1.${'0.'.repeat(31)}ip6.arpa`)
})

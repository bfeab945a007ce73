import { expect, test } from 'vitest'
import { checkHelo } from './helo.ts'

const check = (helo: string, clientAddress = '192.0.2.1') =>
  checkHelo({ helo, clientAddress, hostname: 'mx.two.test', ownAddresses: ['198.51.100.7', '2001:db8::7'] }).result

test.each([
  ['mail.one.test', 'pass'],
  ['mail.one.test.', 'pass'],
  ['[192.0.2.1]', 'pass'],
  ['[IPv6:2001:db8::1]', 'pass'],
  ['localhost', 'neutral'],
  ['laptop.local', 'neutral'],
  ['192.0.2.1', 'neutral'],
  ['PhpStorm 2017.2', 'neutral'],
  ['MX.two.test', 'fail'],
  ['mx.two.test.', 'fail'],
  ['[198.51.100.7]', 'fail'],
  ['[IPv6:2001:db8:0::7]', 'fail'],
])('%s is %s', (helo, result) => expect(check(helo)).toBe(result))

test('who is at our own outside address may name it', () => {
  expect(check('[198.51.100.7]', '198.51.100.7')).toBe('pass')
})

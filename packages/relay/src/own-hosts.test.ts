import { expect, test } from 'vitest'
import { createOwnHosts } from './own-hosts.ts'

const own = createOwnHosts({
  hostname: 'Mail.One.test',
  addresses: ['203.0.113.5', '2001:db8::5', '127.0.0.1'],
  listeners: [
    { address: '127.0.0.1', port: 2525 },
    { address: '::', port: 3525 },
    { address: '/run/lmtp', port: 0 },
  ],
})

test('the name, in any case and with a final dot', () => {
  expect(own.isName('mail.one.TEST.')).toBe(true)
  expect(own.isName('one.test')).toBe(false)
})

test.each([
  ['203.0.113.5', 25, true],
  ['2001:DB8:0::5', 25, true],
  ['203.0.113.6', 25, false],
  ['127.0.0.1', 2525, true],
  ['127.0.0.1', 25, false],
  ['127.0.0.2', 2525, false],
  ['127.0.0.2', 3525, true],
  ['::1', 3525, true],
  ['::1', 2525, false],
  ['0.0.0.0', 3525, true],
])('%s port %i: %s', (address, port, ours) => {
  expect(own.isAddress(address, port)).toBe(ours)
})

test.each([
  ['127.0.0.1', 25, true],
  ['127.255.0.9', 25, true],
  ['::1', 25, true],
  ['::ffff:127.0.0.1', 25, true],
  ['0.0.0.0', 25, true],
  ['::', 25, true],
  ['127.0.0.1', 2525, false],
  ['10.0.0.1', 25, false],
])('%s port %i is inside this machine: %s', (address, port, inside) => {
  expect(own.isInside(address, port)).toBe(inside)
})

test.each([
  ['where we listen on loopback alone', [{ address: '127.0.0.2', port: 25 }]],
  ['where nothing is known of it', []],
])('all hosts may be on one machine %s', (_, listeners) => {
  expect(createOwnHosts({ hostname: 'mail.one.test', addresses: [], listeners }).isInside('127.0.0.1', 25)).toBe(false)
})

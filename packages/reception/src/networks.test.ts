import { expect, it } from 'vitest'
import { isThisMachine, networks } from './networks.ts'

it('knows addresses and networks of both families', () => {
  const known = networks(['192.0.2.1', '10.0.0.0/8', '2001:db8::/32', '::1'])
  for (const address of ['192.0.2.1', '10.255.0.1', '2001:db8:1::7', '::1']) expect(known(address), address).toBe(true)
  for (const address of ['192.0.2.2', '11.0.0.1', '2001:db9::', '::2', '']) expect(known(address), address).toBe(false)
})

it('an empty list knows nobody', () => {
  expect(networks([])('127.0.0.1')).toBe(false)
})

it.each(['mail.test', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '10.0.0.0/-1', ''])(
  '%j is a fault',
  (entry) => {
    expect(() => networks([entry])).toThrow(RangeError)
  },
)

it('this machine is loopback and Unix sockets', () => {
  expect(['127.0.0.1', '127.9.9.9', '::1', '', '192.0.2.1'].map(isThisMachine)).toEqual([true, true, true, true, false])
})

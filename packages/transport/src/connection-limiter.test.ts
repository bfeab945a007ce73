import { expect, test } from 'vitest'
import { createConnectionLimiter, limitedToo, type Refusal, type Slot } from './connection-limiter.ts'

const narrowed = () => {
  const wide = createConnectionLimiter({ connections: 4, connectionsPerAddress: 3 })
  const narrow = createConnectionLimiter({ connections: 0, connectionsPerAddress: 1 })
  return limitedToo(wide, narrow, (address) => address.startsWith('203.'))
}

const slot = (admitted: Slot | Refusal): Slot => {
  if (typeof admitted === 'string') throw new Error(admitted)
  return admitted
}

test('strangers have less than friends, and both count in all', () => {
  const limiter = narrowed()
  const first = slot(limiter.admit('203.0.113.1', '203.0.113.1'))
  expect(limiter.admit('203.0.113.1', '203.0.113.1')).toBe('address')
  for (let count = 0; count < 3; count++) slot(limiter.admit('192.0.2.1', '192.0.2.1'))
  expect(limiter.admit('203.0.113.2', '203.0.113.2')).toBe('total')
  expect(limiter.open).toBe(4)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  expect(limiter.open).toBe(3)
  // What was refused in all holds no place among strangers.
  slot(limiter.admit('203.0.113.2', '203.0.113.2'))
})

test('who is no stranger any more leaves its place to the next', () => {
  const limiter = narrowed()
  slot(limiter.admit('203.0.113.1', '203.0.113.1')).leaveAddress()
  slot(limiter.admit('203.0.113.1', '203.0.113.1'))
  expect(limiter.admit('203.0.113.1', '203.0.113.1')).toBe('address')
})

test('who has logged out counts again, be it one too many, and only until it has gone', () => {
  const limiter = narrowed()
  const first = slot(limiter.admit('203.0.113.1', '203.0.113.1'))
  first.leaveAddress()
  const second = slot(limiter.admit('203.0.113.1', '203.0.113.1'))
  first.returnToAddress()
  first.returnToAddress()
  second[Symbol.dispose]()
  expect(limiter.admit('203.0.113.1', '203.0.113.1')).toBe('address')
  first[Symbol.dispose]()
  first.returnToAddress()
  slot(limiter.admit('203.0.113.1', '203.0.113.1'))
})

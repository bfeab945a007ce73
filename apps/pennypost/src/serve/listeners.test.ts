import { createConnectionLimiter } from '@pennypost/transport'
import { expect, test } from 'vitest'
import { pageLimiter } from './listeners.ts'

test('browsers that load pages took the places of the mail programs of the same address', () => {
  const limiter = createConnectionLimiter({ connections: 6, connectionsPerAddress: 2 })
  const siteLimiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 2 })
  const pages = pageLimiter({ limiter, siteLimiter })
  const office = ['192.0.2.1', '192.0.2.1'] as const
  const [first] = [pages.admit(...office), pages.admit(...office)]
  expect(pages.admit(...office)).toBe('address')
  for (let count = 0; count < 2; count++) expect(limiter.admit(...office)).toBeTypeOf('object')
  expect(limiter.admit(...office)).toBe('address')
  // In all they count together.
  expect([limiter.open, pages.open]).toEqual([4, 4])
  if (typeof first === 'object') first[Symbol.dispose]()
  expect(limiter.open).toBe(3)
  expect(pages.admit(...office)).toBeTypeOf('object')
})

import { sqliteLimits } from '@pennypost/storage-sqlite'
import { expect, test } from 'vitest'
import { cacheLimits, memoryOctets } from './memory.ts'

const MB = 1024 * 1024

test('a machine of a gigabyte or more has the caches of the engine, a smaller one a sixteenth of its memory', () => {
  const { cacheOctets, stagedOctets } = sqliteLimits
  expect(cacheLimits(64 * 1024 * MB)).toEqual({ cacheOctets, stagedOctets })
  expect(cacheLimits(1024 * MB)).toEqual({ cacheOctets, stagedOctets })
  expect(cacheLimits(256 * MB)).toEqual({ cacheOctets: 16 * MB, stagedOctets: 16 * MB })
})

test('there is always some memory, and not more than machines have', () => {
  expect(memoryOctets()).toBeGreaterThan(64 * MB)
  expect(memoryOctets()).toBeLessThan(2 ** 50)
})

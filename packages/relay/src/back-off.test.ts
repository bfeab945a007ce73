import type { Clock } from '@pennypost/model'
import { expect, test } from 'vitest'
import { BackOff } from './back-off.ts'
import { deferred } from './verdict.ts'

test('what waits has a time in whole milliseconds, though the clock has fractions', () => {
  let elapsed = 1000.123
  const clock = { now: () => 1_795_685_674_924, elapsed: () => elapsed } as Clock
  const backOff = new BackOff({ clock, limits: { backOffMs: 60_000, backOffMaxMs: 900_000 } })
  backOff.failed('two.test', deferred('4.4.1', 'connect ECONNREFUSED'))
  elapsed += 0.5
  expect(backOff.verdictOn('two.test')?.notBefore).toBe(1_795_685_674_924 + 60_000)
  expect(backOff.verdictOn('other.test')).toBeUndefined()
})

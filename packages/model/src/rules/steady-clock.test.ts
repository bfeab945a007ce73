import { expect, test } from 'vitest'
import { steadiness } from './steady-clock.ts'

test('a clock is steady a day after the start, and a day after each jump', () => {
  const hour = 3_600_000
  const time = { elapsed: 0, ahead: 1000 * hour }
  const isSteady = steadiness({ elapsed: () => time.elapsed, now: () => time.elapsed + time.ahead })
  const after = (hours: number, aheadHours = 0): boolean => {
    time.elapsed += hours * hour
    time.ahead += aheadHours * hour
    return isSteady()
  }
  expect([after(0), after(23), after(1), after(100, 0.5)]).toEqual([false, false, true, true])
  expect([after(1, 2), after(23), after(1)]).toEqual([false, false, true])
  expect([after(1, -2), after(24)]).toEqual([false, true])
})

import { describe, expect, test } from 'vitest'
import { defaultSchedule, isExpired, isNoticeDue, nextAttemptAt } from './schedule.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const even = { fraction: () => 0.5 }
const entry = (attempts: number, dueAt = 1_000_000 + 5 * day) => ({ acceptedAt: 1_000_000, attempts, dueAt })
const next = (attempts: number, afterMs: number, awaitsNotice = false, random = even) =>
  nextAttemptAt(defaultSchedule, entry(attempts), 1_000_000 + afterMs, awaitsNotice, random) - 1_000_000

describe('nextAttemptAt', () => {
  test('takes the steps in order, and the last one again and again', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 60].map((attempts) => (next(attempts, 0) - 0) / minute)
    expect(waits).toEqual([15, 15, 30, 60, 120, 240, 240, 240])
  })

  test('spreads by a tenth to either side', () => {
    expect(next(0, 0, false, { fraction: () => 0 })).toBe(13.5 * minute)
    expect(next(0, 0, false, { fraction: () => 0.999_999 })).toBeCloseTo(16.5 * minute, -1)
  })

  test('comes early for a notice that somebody waits for', () => {
    expect(next(5, 3 * hour, true)).toBe(4 * hour)
    expect(next(5, 3 * hour, false)).toBe(7 * hour)
    expect(next(5, 4 * hour, true)).toBe(8 * hour)
  })

  test('the last attempt is made at the expiry', () => {
    expect(next(40, 5 * day - hour)).toBe(5 * day)
    expect(next(40, 6 * day)).toBe(6 * day + 4 * hour)
  })
})

test('an attempt that fails at the expiry or after it is the last', () => {
  expect(isExpired(defaultSchedule, entry(33), 1_000_000 + 5 * day - 1, true)).toBe(false)
  expect(isExpired(defaultSchedule, entry(33), 1_000_000 + 5 * day, true)).toBe(true)
})

test('the last is not among so few attempts as five days cannot have had', () => {
  expect(isExpired(defaultSchedule, entry(27), 1_000_000 + 5 * day, true)).toBe(false)
  expect(isExpired({ retryMs: [day], delayWarningMs: 0, expireMs: hour }, entry(0), 1_000_000 + day, true)).toBe(false)
  expect(isExpired({ retryMs: [day], delayWarningMs: 0, expireMs: hour }, entry(1), 1_000_000 + hour, true)).toBe(true)
})

test('among many for a destination that is down each had its turn too seldom to be given up for weeks', () => {
  // One round of all takes ten hours.
  const late = entry(13, 1_000_000 + 5 * day - 6 * hour)
  expect(isExpired(defaultSchedule, late, 1_000_000 + 5 * day, true)).toBe(true)
  expect(isExpired(defaultSchedule, late, 1_000_000 + 5 * day, false)).toBe(false)
})

test('what comes from the future is as old as its attempts', () => {
  const before = (attempts: number) => isExpired(defaultSchedule, entry(attempts), 0, true)
  expect([before(0), before(33), before(34)]).toEqual([false, false, true])
  expect([2, 3, 4, 5].map((attempts) => isNoticeDue(defaultSchedule, entry(attempts), 0))).toEqual([
    false,
    false,
    false,
    true,
  ])
})

test('a delay warning of 0 is none', () => {
  expect(isNoticeDue(defaultSchedule, entry(3), 1_000_000 + 4 * hour)).toBe(true)
  expect(isNoticeDue({ ...defaultSchedule, delayWarningMs: 0 }, entry(3), 1_000_000 + 4 * hour)).toBe(false)
})

/**
 * When an entry is tried again, when its sender is told that it waits, and when it is given up. Pure.
 *
 * Never broken: an entry is given up only after an attempt that failed at or after its expiry, and only when it was tried
 * often enough to be that old, so a clock that jumps ahead bounces nothing early, and one that was ahead at the acceptance
 * keeps nothing for ever; attempts that come late, since very many wait for a destination that is down, count for the time
 * that they were late. The last attempt is due at the expiry, the notice at its own time whatever the steps.
 * Who calls it: the conclusion of attempts.
 */
import type { QueueEntry, Random } from '@pennypost/model'

export interface Schedule {
  /** Waits between attempts, in milliseconds; the last one repeats. At least one. */
  retryMs: readonly number[]
  /** Sender is told so long after acceptance that the message waits; 0: never. */
  delayWarningMs: number
  /** So long after acceptance the message goes back. */
  expireMs: number
}

export const defaultSchedule: Schedule = {
  retryMs: [15, 15, 30, 60, 120, 240].map((minutes) => minutes * 60_000),
  delayWarningMs: 4 * 3_600_000,
  expireMs: 5 * 86_400_000,
}

type Times = Pick<QueueEntry, 'acceptedAt' | 'attempts'>

/** A step is up to a tenth longer than it says; as much again is for the attempts themselves. */
const longestStep = 1.1
const longestStepAndAttempt = 1.2

/** Whether an attempt that failed at `now` was the last one. `isSteady`: the clock can tell how late it was. */
export function isExpired(
  schedule: Schedule,
  entry: Times & Pick<QueueEntry, 'dueAt'>,
  now: number,
  isSteady: boolean,
): boolean {
  const lateMs = isSteady ? Math.max(0, now - entry.dueAt) : 0
  const waitedAtMostMs = longestStepAndAttempt * stepsMs(schedule, entry.attempts) + lateMs * entry.attempts
  return Math.min(ageMs(schedule, entry, now), waitedAtMostMs) >= schedule.expireMs
}

/** Whether a notice of delay is due at `now`. */
export function isNoticeDue(schedule: Schedule, entry: Times, now: number): boolean {
  return schedule.delayWarningMs > 0 && ageMs(schedule, entry, now) >= schedule.delayWarningMs
}

/** What a clock that was ahead has dated is as old as its attempts say. */
function ageMs(schedule: Schedule, { acceptedAt, attempts }: Times, now: number): number {
  return now >= acceptedAt ? now - acceptedAt : stepsMs(schedule, attempts)
}

function stepsMs({ retryMs }: Schedule, attempts: number): number {
  const repeated = Math.max(0, attempts - retryMs.length) * (retryMs.at(-1) as number)
  return retryMs.slice(0, attempts).reduce((sum, ms) => sum + ms, repeated)
}

/**
 * When to try again after an attempt that failed at `now`: the step of this attempt, longer or shorter by up to a tenth
 * so that what failed together does not come back together; earlier if expiry, or a notice that somebody waits for
 * (`awaitsNotice`), falls into the step. `entry.attempts` does not count the attempt that just failed.
 */
export function nextAttemptAt(
  schedule: Schedule,
  entry: Times,
  now: number,
  awaitsNotice: boolean,
  random: Pick<Random, 'fraction'>,
): number {
  const { retryMs, delayWarningMs, expireMs } = schedule
  const stepMs = retryMs[Math.min(entry.attempts, retryMs.length - 1)] as number
  const due = Math.round(now + stepMs * (0.9 + 0.2 * random.fraction()))
  const marks = [entry.acceptedAt + expireMs]
  if (awaitsNotice && delayWarningMs > 0) marks.push(entry.acceptedAt + delayWarningMs)
  return Math.min(due, ...marks.filter((mark) => mark > now))
}

/** An entry with so many attempts is not put off for longer, whatever the random part of its step. */
export function longestWaitMs({ retryMs }: Pick<Schedule, 'retryMs'>, attempts: number): number {
  return Math.max(...retryMs.slice(0, attempts + 1)) * longestStep
}

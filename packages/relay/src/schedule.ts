/**
 * When an entry is tried again, when its sender is told that it waits, and when it is given up. Pure.
 *
 * Never broken: an entry is given up only after an attempt that failed at or after its expiry, so a clock that jumps
 * ahead bounces nothing untried; the last attempt is due at the expiry, the notice at its own time whatever the steps.
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

/** Whether an attempt that failed at `now` was the last one. */
export function isExpired({ expireMs }: Schedule, { acceptedAt }: Times, now: number): boolean {
  return now >= acceptedAt + expireMs
}

/** Whether a notice of delay is due at `now`. */
export function isNoticeDue({ delayWarningMs }: Schedule, { acceptedAt }: Times, now: number): boolean {
  return delayWarningMs > 0 && now >= acceptedAt + delayWarningMs
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

/** No attempt is put off for longer, whatever the random part of its step. */
export function longestWaitMs({ retryMs }: Pick<Schedule, 'retryMs'>): number {
  return Math.max(...retryMs) * 1.1
}

/**
 * Whether the clock of dates has kept step with the one that only rises, for a day of this process: only then is what it
 * says between two dates the time that has passed, and only then it may end something by its age. Sees what happened
 * between two calls.
 *
 * Who calls it: whoever gives up or deletes by dates, now and then.
 */
import type { Clock } from '../ports/time.ts'

const jumpMs = 3_600_000
const dayMs = 24 * 3_600_000

export function steadiness(clock: Pick<Clock, 'now' | 'elapsed'>): () => boolean {
  let aheadMs = clock.now() - clock.elapsed()
  let since = clock.elapsed()
  return () => {
    const elapsed = clock.elapsed()
    const before = aheadMs
    aheadMs = clock.now() - elapsed
    if (Math.abs(aheadMs - before) > jumpMs) since = elapsed
    return elapsed - since >= dayMs
  }
}

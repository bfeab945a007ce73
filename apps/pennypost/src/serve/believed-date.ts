import { type Clock, steadiness } from '@pennypost/model'

/**
 * The date as far as it may delete something: a clock that jumps ahead is believed when it has stood by that for a day,
 * so that one which is then set right has cost nobody an account whose removal could still be undone.
 *
 * Who calls it: housekeeping, with each round.
 */
export function believedDate(clock: Pick<Clock, 'now' | 'elapsed'>): () => number {
  const isSteady = steadiness(clock)
  let aheadMs = clock.now() - clock.elapsed()
  return () => {
    const elapsed = clock.elapsed()
    const now = clock.now()
    aheadMs = isSteady() ? now - elapsed : Math.min(now - elapsed, aheadMs)
    return Math.floor(elapsed + aheadMs)
  }
}

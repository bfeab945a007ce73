import type { Clock } from '@pennypost/model'

/**
 * The date as far as it may delete something: a clock that jumps ahead is believed when it has stood by that for a day,
 * so that one which is then set right has cost nobody an account whose removal could still be undone.
 *
 * Who calls it: housekeeping, with each round.
 */
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export function believedDate(clock: Pick<Clock, 'now' | 'elapsed'>): () => number {
  let believedMs = clock.now() - clock.elapsed()
  let jumpedAt: number | undefined
  return () => {
    const elapsed = clock.elapsed()
    // How far the clock of dates is ahead of the one that nobody sets.
    const aheadMs = clock.now() - elapsed
    const jumped = aheadMs > believedMs + hourMs
    jumpedAt = jumped ? (jumpedAt ?? elapsed) : undefined
    if (jumpedAt === undefined || elapsed - jumpedAt >= dayMs) believedMs = aheadMs
    return Math.floor(elapsed + believedMs)
  }
}

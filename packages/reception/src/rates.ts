import type { MemoryNote, PolicyMemory } from '@pennypost/model'

/**
 * How much somebody had lately: counters in the policy memory, one for each window of time. What happened in the window
 * before counts by the part of it that is still within one window of now, so that no limit is doubled by waiting for
 * the full hour.
 *
 * Who calls it: the checks of strangers' mail, and submission.
 */
export interface RateLimit {
  windowMs: number
  /** So many in a window; 0: any number. */
  limit: number
}

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs
/** Of a count; who waited exactly as long as he was told is not told to wait a millisecond more. */
const roundingError = 1e-6

export class Rates {
  readonly #memory: Pick<PolicyMemory, 'recall'>

  constructor(memory: Pick<PolicyMemory, 'recall'>) {
    this.#memory = memory
  }

  /** Milliseconds until `wanted` more are within the limit; 0 when they are now. `underWay`: not noted yet, and counting. */
  async waitMs(
    subject: string,
    { windowMs, limit }: RateLimit,
    wanted: number,
    now: number,
    underWay = 0,
  ): Promise<number> {
    if (limit === 0) return 0
    const window = Math.floor(now / windowMs)
    const count = async (which: number): Promise<number> =>
      (await this.#memory.recall('rate', keyOf(subject, windowMs, which), now))?.count ?? 0
    const current = underWay + (await count(window))
    const before = await count(window - 1)
    const elapsed = now - window * windowMs
    // One that is larger than the limit waits for an empty window, and then is taken.
    const room = Math.max(0, limit - wanted)
    if (current + before * (1 - elapsed / windowMs) <= room + roundingError) return 0
    if (current <= room) return Math.max(1, Math.ceil(windowMs * (1 - (room - current) / before)) - elapsed)
    return Math.max(1, windowMs - elapsed + Math.ceil(windowMs * (1 - room / current)))
  }
}

/** The note that `subject` had so many more. */
export function rateNote(subject: string, { windowMs }: RateLimit, count: number, now: number): MemoryNote {
  const window = Math.floor(now / windowMs)
  const key = keyOf(subject, windowMs, window)
  return { kind: 'rate', key, at: now, expiresAt: (window + 2) * windowMs, count }
}

/** Addresses have at most 320 octets, so that the key has its 500 characters. */
function keyOf(subject: string, windowMs: number, window: number): string {
  return `${subject.slice(0, 400)} ${windowMs} ${window}`
}

/**
 * Chance that comes out the same each time: a test repeats with its seed. Never for secrets.
 * The generator is mulberry32: 32 bits of state, good enough to spread load and jitter.
 */
import type { Random } from '../ports/time.ts'

export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  function word(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    bytes(count) {
      const octets = Buffer.alloc(count)
      for (let at = 0; at < count; at++) octets[at] = word() >>> 24
      return octets
    },
    fraction: () => word() / 2 ** 32,
  }
}

import type { Random } from '@pennypost/model'

/** Octets fetched from the system at once. */
const poolSize = 4096

/**
 * The same chance, fetched in larger pieces: ids of sessions and journeys take a few octets each, and asking the system
 * for those costs more than making the rest of the id. No octet is given twice, and a given one is not kept.
 */
export function pooledRandom(random: Random): Random {
  let pool: Buffer = Buffer.alloc(0)
  return {
    bytes(count) {
      if (count > poolSize / 4) return random.bytes(count)
      if (pool.length < count) pool = random.bytes(poolSize)
      const taken = Buffer.from(pool.subarray(0, count))
      pool.fill(0, 0, count)
      pool = pool.subarray(count)
      return taken
    },
    fraction: () => random.fraction(),
  }
}

/**
 * Random verbs against two engines: after each verb both must have said the same, and look the same. The memory engine
 * is short enough to be believed, so this is how the others are.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type OpenEngine, openWorld } from './engine.ts'
import { observeAccount, observeChanges, observeJourneys, observeQueue } from './observe.ts'
import { play, type Side } from './play.ts'
import { recount } from './recount.ts'
import { prelude, type Verb, verbs } from './verbs.ts'

export interface EquivalenceOptions {
  seed: number
  /** How many sequences of up to 40 verbs. */
  runs: number
  /** Stop at the first difference without looking for the shortest sequence that shows it. */
  endOnFailure?: boolean
}

export function describeEquivalence(
  name: string,
  openA: OpenEngine,
  openB: OpenEngine,
  options: EquivalenceOptions = { seed: 20_260_101, runs: 40 },
): void {
  describe(`${name}: equivalence`, () => {
    test('random verbs have the same outcomes and leave the same state', async () => {
      await compareEngines(openA, openB, options)
    })
  })
}

/** Rejects with the shortest sequence of verbs that tells the engines apart. */
export async function compareEngines(
  openA: OpenEngine,
  openB: OpenEngine,
  { seed, runs, endOnFailure = false }: EquivalenceOptions,
): Promise<void> {
  const property = fc.asyncProperty(verbs, async (sequence) => {
    const a = await openSide(openA)
    const b = await openSide(openB)
    try {
      await playBoth(a, b, [...prelude, ...sequence])
    } finally {
      await a.world.store.close()
      await b.world.store.close()
    }
  })
  await fc.assert(property, { seed, numRuns: runs, endOnFailure })
}

async function openSide(open: OpenEngine): Promise<Side> {
  // Few expunges are remembered, so that cursors fall below the floor, and few annotations allowed.
  return {
    world: await openWorld(open, { expungesPerMailbox: 4, annotationsPerMailbox: 2 }),
    journeys: [],
    leases: [],
    cursors: [],
  }
}

async function playBoth(a: Side, b: Side, sequence: readonly Verb[]): Promise<void> {
  const comparison = new Comparison(a, b)
  for (const verb of sequence) {
    if (verb.verb === 'advance') await Promise.all([a, b].map((side) => side.world.clock.advance(verb.ms)))
    const outcome = await play(a, verb)
    expect(await play(b, verb)).toEqual(outcome)
    await comparison.compareState()
  }
  await comparison.compareEnd()
}

class Comparison {
  readonly #sides: readonly [Side, Side]
  readonly #orders = [
    { modSeqs: new SameOrder(), uidValidities: new SameOrder() },
    { modSeqs: new SameOrder(), uidValidities: new SameOrder() },
  ] as const
  /** At which MODSEQ each mailbox was last read whole. */
  #known = [new Map<number, number>(), new Map<number, number>()] as const

  constructor(a: Side, b: Side) {
    this.#sides = [a, b]
  }

  async compareState(): Promise<void> {
    const [a, b] = this.#sides
    for (const account of [0, 1] as const) {
      const seenA = await observeAccount(a, account, this.#known[0])
      const seenB = await observeAccount(b, account, this.#known[1])
      expect(seenB.facts).toEqual(seenA.facts)
      this.#orders[account].modSeqs.compare(seenA.modSeqs, seenB.modSeqs)
      this.#orders[account].uidValidities.compare(seenA.uidValidities, seenB.uidValidities)
    }
    expect(await observeQueue(b)).toEqual(await observeQueue(a))
  }

  /** Everything once more, and the changes since every cursor of the past. */
  async compareEnd(): Promise<void> {
    const [a, b] = this.#sides
    this.#known = [new Map(), new Map()]
    await this.compareState()
    expect(await observeJourneys(b)).toEqual(await observeJourneys(a))
    expect(b.cursors.length).toBe(a.cursors.length)
    for (const [index, cursor] of a.cursors.entries()) {
      expect(await observeChanges(b, b.cursors[index] as typeof cursor)).toEqual(await observeChanges(a, cursor))
    }
    for (const { world } of this.#sides) {
      expect(await Array.fromAsync(world.store.check())).toEqual([])
      await recount(world.store)
    }
  }
}

/** Holds that numbers of one engine come in the same order as those of the other, though they be others. */
class SameOrder {
  readonly #pairs = new Map<number, number>()

  compare(a: readonly number[], b: readonly number[]): void {
    expect(b.length).toBe(a.length)
    for (const [index, number] of a.entries()) {
      const other = b[index] as number
      expect(this.#pairs.get(number) ?? other).toBe(other)
      this.#pairs.set(number, other)
    }
    const others = [...this.#pairs].sort(([x], [y]) => x - y).map(([, other]) => other)
    expect(others.every((other, index) => index === 0 || other > (others[index - 1] as number))).toBe(true)
  }
}

import type { Acceptance, Accepted, JourneyId, Store } from '@pennypost/model'
import { describeEquivalence } from '@pennypost/model/contract'
import { createMemoryStore } from '@pennypost/model/memory'
import { openEngine } from '../test/temporary-store.ts'

const hourMs = 3_600_000

/**
 * The memory engine forgets an acceptance's fingerprint when a later one has the same; the port honours any that is
 * unconfirmed, and so does this engine.
 */
function honouringAll(store: Store): Store {
  const fingerprints = new Map<JourneyId, { fingerprint: string; until: number }>()
  const earlier = ({ fingerprint, acceptedAt }: Acceptance): JourneyId | undefined =>
    [...fingerprints].findLast(([, known]) => known.fingerprint === fingerprint && acceptedAt < known.until)?.[0]
  async function accept(acceptances: readonly Acceptance[]): Promise<Accepted[]> {
    const repeats = acceptances.map(earlier)
    const news = acceptances.filter((_, index) => repeats[index] === undefined)
    const accepted = await store.mail.accept(news.map(({ fingerprint: _, ...acceptance }) => acceptance))
    for (const { journey, fingerprint } of news) if (fingerprint) fingerprints.set(journey, { fingerprint, until: 0 })
    for (const [index, { message }] of acceptances.entries()) if (repeats[index]) await message.content.discard()
    return repeats.map((journey) =>
      journey === undefined ? (accepted.shift() as Accepted) : { journey, repeated: true, filed: [], queued: [] },
    )
  }
  async function unconfirm(journey: JourneyId, now: number): Promise<void> {
    const known = fingerprints.get(journey)
    if (known) known.until = now + hourMs
  }
  return { ...store, mail: { ...store.mail, accept, unconfirm } }
}

describeEquivalence('memory and sqlite', async (options) => honouringAll(createMemoryStore(options)), openEngine)

import type { Flow, PolicyMemory } from '@pennypost/model'
import type { Engine } from '../engine.ts'
import { flowRows } from '../pack.ts'
import { listMemory, readJourney, readJourneysByMessageId, readMemory, readRecentJourneys } from '../reader/flow.ts'

/** Rows that one job of a clearing takes away. */
const pruneRows = 500

export function createFlow({ reader, writer }: Engine): Flow {
  return {
    async record(events) {
      if (events.length > 0) await writer.run('recordFlow', flowRows(events))
    },
    async journey(id) {
      return readJourney(reader, id)
    },
    async findByMessageId(messageId, limit) {
      return readJourneysByMessageId(reader, messageId, limit)
    },
    async recent(limit) {
      return readRecentJourneys(reader, limit)
    },
    async prune(before, transcriptsBefore) {
      const journeys = await untilNone(() => writer.run('pruneJourneys', { before, limit: pruneRows }))
      await untilNone(() => writer.run('pruneTranscripts', { before: transcriptsBefore, limit: pruneRows }))
      return journeys
    },
  }
}

export function createPolicyMemory({ reader, writer }: Engine): PolicyMemory {
  return {
    note: (notes) => writer.run('note', notes),
    async recall(kind, key, now) {
      return readMemory(reader, kind, key, now)
    },
    async list(kind, now, { limit, after = '' }) {
      return listMemory(reader, kind, now, after, limit)
    },
    forget: (kind, key) => writer.run('forgetMemory', { kind, key }),
    prune: (now) => untilNone(() => writer.run('pruneMemory', { now, limit: pruneRows })),
  }
}

/** Runs a clearing job until it finds nothing more; gives how much it took. */
async function untilNone(clear: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await clear()
    if (count === 0) return total
    total += count
  }
}

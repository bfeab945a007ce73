/** What happened to a message, by the id that the server gave, or by its Message-ID; and which messages there were. */
import { type FlowEvent, isJourneyId, type Journey, journeyId, type QueueEntry } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { addressDomainOrNone } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { entriesById } from '../queue-selection.ts'
import { unhurried } from '../unhurried.ts'

const journeyLimit = 50

export const trace = operation({
  name: 'trace',
  kind: 'read',
  input: z.strictObject({
    /** Queue id, or Message-ID with or without angle brackets. */
    id: z.string().trim().min(1).max(998),
  }),
  async run(context, { id }) {
    const journeys = await findJourneys(context, id)
    const found: { journey: Journey; waiting: QueueEntry[] }[] = []
    for (const journey of journeys) found.push({ journey, waiting: await entriesById(context, journey.id) })
    return { now: context.clock.now(), journeys: found }
  },
})

/** Journeys by queue id or Message-ID, newest first. @throws AdminError when there is none. */
export async function findJourneys({ store: { flow } }: AdminContext, id: string): Promise<Journey[]> {
  const ids = isJourneyId(id)
    ? [journeyId(id.toUpperCase())]
    : await flow.findByMessageId(id.replace(/^<|>$/g, ''), journeyLimit)
  const journeys = await Promise.all(ids.map((each) => flow.journey(each)))
  const found = journeys.filter((journey) => journey !== undefined)
  if (found.length > 0) return found
  const advice =
    'The queue id stands in the server\'s "250 … queued as …" and in its Received line, the Message-ID in the header of ' +
    'the message. ' +
    'Journeys are kept for as long as `[journeys] keep` says. `pennypost trace --from ADDRESS --to ADDRESS` lists them.'
  throw new AdminError('not-found', `No message with the id ${id} is known.`, advice)
}

const looksThrough = 100_000

/** The newest messages, for who has no id: also those that were refused. */
export const traceList = operation({
  name: 'trace.list',
  kind: 'read',
  input: z.strictObject({
    /** An address, `@domain`, or '' for bounces. */
    from: addressDomainOrNone.optional(),
    to: addressDomainOrNone.optional(),
    limit: z.number().int().min(1).max(10_000).default(20),
  }),
  async run({ store: { flow } }, { from, to, limit }, { signal }) {
    const found: JourneySummary[] = []
    // Also without a wish: journeys that say nothing of a message are no lines, and are nobody's share of the limit.
    for await (const id of unhurried(await flow.recent(looksThrough))) {
      signal.throwIfAborted()
      const journey = await flow.journey(id)
      const summary = journey && summaryOf(journey)
      if (!summary || !fits(from, [summary.from]) || !fits(to, summary.to)) continue
      found.push(summary)
      if (found.length === limit) break
    }
    return found
  },
})

/** One line about a message. */
export interface JourneySummary {
  id: string
  at: number
  from: string
  to: string[]
  messageId: string
  /** What became of it, as far as it has: each once. */
  outcomes: string[]
}

function fits(wanted: string | undefined, paths: readonly string[]): boolean {
  if (wanted === undefined) return true
  return paths.some((path) => {
    const read = addressDomainOrNone.safeParse(path).data ?? path.toLowerCase()
    return wanted.startsWith('@') ? read.endsWith(wanted) : read === wanted
  })
}

/** Undefined for one of which nothing tells whose message it was. */
function summaryOf({ id, events }: Journey): JourneySummary | undefined {
  const received = events.find((event) => event.kind === 'received')
  const refused = events.filter((event) => event.kind === 'refused')
  const from = received?.reversePath ?? refused.find(({ reversePath }) => reversePath !== undefined)?.reversePath
  if (from === undefined) return undefined
  const paths = [...(received?.forwardPaths ?? []), ...refused.flatMap(({ forwardPath }) => forwardPath ?? [])]
  const over = new Set(events.flatMap((event) => (isOver(event) ? [event.forwardPath] : [])))
  const queued = events.flatMap((event) => (event.kind === 'queued' ? event.forwardPaths : []))
  const isRemoved = events.some((event) => event.kind === 'operator' && event.verb === 'remove')
  const waits = queued.some((path) => !over.has(path)) ? [isRemoved ? 'removed' : 'waiting'] : []
  const outcomes = [...events.flatMap((event) => outcomeOf(event) ?? []), ...waits]
  return {
    id,
    at: events[0]?.at ?? 0,
    from,
    to: [...new Set(paths)],
    messageId: received?.messageId ?? '',
    outcomes: [...new Set(outcomes)],
  }
}

const isOver = (event: FlowEvent) => event.kind === 'delivered' || event.kind === 'failed'

function outcomeOf(event: FlowEvent): string | undefined {
  if (event.kind === 'filed') return `in ${event.mailbox}`
  if (event.kind === 'refused') return `refused ${event.reply.slice(0, 3)}`
  return isOver(event) ? event.kind : undefined
}

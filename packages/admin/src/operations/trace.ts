/** What happened to a message, by the id that the server gave, or by its Message-ID; and which messages there were. */
import { basesOf } from '@pennypost/mda'
import { type FlowEvent, isJourneyId, type Journey, journeyId, lookupAddress, type QueueEntry } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { addressDomainOrNone } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { entriesById } from '../queue-selection.ts'
import { unhurried } from '../unhurried.ts'
import { type Kept, Whereabouts } from '../whereabouts.ts'

const journeyLimit = 50

export const trace = operation({
  name: 'trace',
  kind: 'read',
  input: z.strictObject({
    /** Queue id, or Message-ID with or without angle brackets. */
    id: z.string().trim().min(1).max(998),
  }),
  async run(context, { id }, { signal }) {
    const journeys = await findJourneys(context, id)
    const whereabouts = new Whereabouts(context, signal)
    const found: { journey: Journey; waiting: QueueEntry[]; kept: Kept[] }[] = []
    for (const journey of journeys) {
      const waiting = await entriesById(context, journey.id)
      found.push({ journey, waiting, kept: await whereabouts.of(journey) })
    }
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
  async run(context, { from, to, limit }, { signal }) {
    const { flow } = context.store
    const { recipientDelimiter } = context.installation
    const found: JourneySummary[] = []
    // Also without a wish: journeys that say nothing of a message are no lines, and are nobody's share of the limit.
    for await (const id of unhurried(await flow.recent(looksThrough))) {
      signal.throwIfAborted()
      const journey = await flow.journey(id)
      const summary = journey && summaryOf(journey)
      if (!summary || !fits(from, sendersOf(journey), recipientDelimiter)) continue
      if (!fits(to, recipientsOf(journey), recipientDelimiter)) continue
      found.push({ ...summary, outcomes: [...summary.outcomes, ...(await waitingOf(context, journey))] })
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

/** Whoever asks knows an address as it was written, or the one behind it. */
function fits(wanted: string | undefined, paths: Iterable<string>, delimiters: string): boolean {
  if (wanted === undefined) return true
  for (const path of new Set(paths)) {
    const read = lookupAddress(path) ?? path.toLowerCase()
    if (wanted.startsWith('@') ? read.endsWith(wanted) : read === wanted) return true
    const at = read.lastIndexOf('@')
    const bases = basesOf(read.slice(0, at), delimiters)
    if (bases.some((base) => `${base}${read.slice(at)}` === wanted)) return true
  }
  return false
}

/** The reverse-path it came with, and those it was forwarded under. */
function* sendersOf({ events }: Journey): Generator<string> {
  for (const event of events) {
    if ('reversePath' in event && event.reversePath !== undefined) yield event.reversePath
  }
}

/** The forward-paths it came with, and everybody to whom they led: through aliases, to accounts, elsewhere. */
function* recipientsOf({ events }: Journey): Generator<string> {
  for (const event of events) {
    if ('forwardPaths' in event) yield* event.forwardPaths
    else if ('forwardPath' in event && event.forwardPath !== undefined) yield event.forwardPath
    if (event.kind === 'expanded') yield* event.targets
    if ('login' in event && event.login !== undefined) yield event.login
  }
}

/** Undefined for one of which nothing tells whose message it was. */
function summaryOf({ id, events }: Journey): JourneySummary | undefined {
  const received = events.find((event) => event.kind === 'received')
  const refused = events.filter((event) => event.kind === 'refused')
  const from = received?.reversePath ?? refused.find(({ reversePath }) => reversePath !== undefined)?.reversePath
  if (from === undefined) return undefined
  const paths = [...(received?.forwardPaths ?? []), ...refused.flatMap(({ forwardPath }) => forwardPath ?? [])]
  const outcomes = events.flatMap((event) => outcomeOf(event) ?? [])
  return {
    id,
    at: events[0]?.at ?? 0,
    from,
    to: [...new Set(paths)],
    messageId: received?.messageId ?? '',
    outcomes: [...new Set(outcomes)],
  }
}

function outcomeOf(event: FlowEvent): string | undefined {
  switch (event.kind) {
    case 'filed':
      return `in ${event.mailbox}`
    case 'refused':
      return `refused ${event.reply.slice(0, 3)}`
    case 'returned':
      return `reported ${event.action}`
    case 'operator':
      return event.verb === 'remove' ? 'removed' : undefined
    case 'delivered':
    case 'failed':
      return event.kind
  }
  return undefined
}

/** What is still in the queue only the queue can say: of what is filed later no event names the entry. */
async function waitingOf(context: AdminContext, { id, events }: Journey): Promise<string[]> {
  if (!events.some(({ kind }) => kind === 'queued')) return []
  const entries = await entriesById(context, id)
  return [...new Set(entries.map(({ held }) => (held ? 'held' : 'waiting')))]
}

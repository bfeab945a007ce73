/**
 * Which queue entries a verb means: by queue id (what `250 … queued as` gave, one or more entries) or entry number, or
 * by what they have in common. Selecting everything must be said.
 */
import { isJourneyId, journeyId, type QueueEntry, type QueueFilter, queueEntryId } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from './admin-error.ts'
import type { AdminContext } from './context.ts'
import { address, addressOrNone, countGiven, nextHop } from './input-fields.ts'

export const queueFilterFields = {
  destination: z.string().min(1).max(260).optional(),
  /** '' for bounces. */
  from: addressOrNone.optional(),
  to: address.optional(),
  held: z.boolean().optional(),
  /** Accepted at least so many milliseconds ago. */
  olderThanMs: z.number().nonnegative().optional(),
}

const filterInput = z.strictObject(queueFilterFields)

export const queueSelection = z
  .strictObject({
    ids: z.array(z.string().min(1).max(40)).max(10_000).default([]),
    all: z.boolean().default(false),
    ...queueFilterFields,
  })
  .refine(
    ({ ids, all, ...filter }) => [ids.length > 0, all, countGiven(filter) > 0].filter(Boolean).length === 1,
    'Name queue ids, or conditions such as a destination, or say all: one of the three',
  )

/** The store's filter for these conditions. */
export function storeFilter({ clock }: AdminContext, input: z.output<typeof filterInput>): QueueFilter {
  const { destination, from, to, held, olderThanMs } = input
  return {
    ...(destination === undefined ? {} : { destination: destinationOf(destination) }),
    ...(from === undefined ? {} : { reversePath: from }),
    ...(to === undefined ? {} : { forwardPath: to }),
    ...(held === undefined ? {} : { held }),
    ...(olderThanMs === undefined ? {} : { acceptedBefore: clock.now() - olderThanMs }),
  }
}

/** A domain, or a host with its port, in the form that the queue has; anything else (an address literal) as it is. */
export const destinationOf = (text: string): string => nextHop.safeParse(text).data ?? text

/** No entry has one of the ids. Messages have a journey, by whose id they can be looked up for longer; entries are gone. */
export function nothingWaits(...ids: string[]): AdminError {
  const journey = ids.find(isJourneyId)
  const became = journey ? `, \`pennypost trace ${journey}\` what became of the message` : ''
  const advice = `\`pennypost queue list\` shows what waits${became}.`
  return new AdminError('not-found', `Nothing in the queue has the id ${ids.join(' or ')}.`, advice)
}

export interface Selected {
  /** In order of acceptance. */
  entries: QueueEntry[]
  /** Ids that name nothing: of a list that was read a moment ago, what has left in the meantime. */
  missing: string[]
}

/** What is meant. Rejects with `not-found` when no id names anything. */
export async function selectEntries(
  context: AdminContext,
  { ids, all, ...filter }: z.output<typeof queueSelection>,
): Promise<Selected> {
  if (ids.length === 0) return { entries: await collect(context, all ? {} : storeFilter(context, filter)), missing: [] }
  const found = new Map<number, QueueEntry>()
  const missing: string[] = []
  for (const id of ids) {
    const entries = await entriesById(context, id)
    if (entries.length === 0) missing.push(id)
    for (const entry of entries) found.set(entry.id, entry)
  }
  if (found.size === 0) throw nothingWaits(...missing)
  return { entries: [...found.values()], missing }
}

/** The entries of one queue id or entry number. */
export async function entriesById(context: AdminContext, id: string): Promise<QueueEntry[]> {
  if (isJourneyId(id)) return collect(context, { journey: journeyId(id.toUpperCase()) })
  if (!/^\d{1,15}$/.test(id)) return []
  const entry = await context.store.queue.get(queueEntryId(Number(id)))
  return entry ? [entry] : []
}

async function collect({ store }: AdminContext, filter: QueueFilter): Promise<QueueEntry[]> {
  const entries: QueueEntry[] = []
  for await (const page of store.queue.list(filter)) entries.push(...page)
  return entries
}

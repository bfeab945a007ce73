/** The queue as its operators see and change it. Each change is also an event in the journey of the message. */
import { domainOf, type FlowEvent, lookupDomain, type QueueEntry, type QueueEntryId } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { operation } from '../operation.ts'
import {
  entriesById,
  nothingWaits,
  queueFilterFields,
  queueSelection,
  selectEntries,
  storeFilter,
} from '../queue-selection.ts'

export const queueList = operation({
  name: 'queue.list',
  kind: 'read',
  input: z.strictObject({ ...queueFilterFields, limit: z.number().int().min(1).max(100_000).default(1000) }),
  async run(context, { limit, ...filter }) {
    const { queue } = context.store
    const entries: QueueEntry[] = []
    for await (const page of queue.list(storeFilter(context, filter))) {
      entries.push(...page)
      if (entries.length > limit) break
    }
    const now = context.clock.now()
    return { now, entries: entries.slice(0, limit), more: entries.length > limit, counts: await queue.counts(now) }
  },
})

export const queueShow = operation({
  name: 'queue.show',
  kind: 'read',
  input: z.strictObject({ id: z.string().min(1).max(40) }),
  async run(context, { id }) {
    const entries = await entriesById(context, id)
    const [first] = entries
    if (!first) throw nothingWaits(id)
    const journey = await context.store.flow.journey(first.journey)
    return { now: context.clock.now(), entries, events: journey?.events ?? [] }
  },
})

type OperatorVerb = Extract<FlowEvent, { kind: 'operator' }>['verb']

interface Changed {
  selected: number
  changed: number
  /** Of the selected: those with which the verb has nothing to do, being held, or not being held. */
  untouched: number
  missing: string[]
}

/** What a verb has nothing to do with. */
const hasNothingToDo: { [verb in OperatorVerb]?: (entry: QueueEntry) => boolean } = {
  hold: ({ held }) => held,
  release: ({ held }) => !held,
  // Held mail is only let go by who means that.
  retry: ({ held }) => held,
}

/** Runs a verb on the selected entries, and notes it in their journeys. */
async function changeEntries(
  context: AdminContext,
  selection: z.output<typeof queueSelection>,
  verb: OperatorVerb,
  run: (entries: readonly QueueEntryId[]) => Promise<number>,
): Promise<Changed> {
  const { entries: selected, missing } = await selectEntries(context, selection)
  const isIdle = hasNothingToDo[verb]
  const entries = isIdle ? selected.filter((entry) => !isIdle(entry)) : selected
  if (verb === 'retry' || verb === 'release')
    context.running?.forgive(new Set(entries.map(({ destination }) => destination)))
  const at = context.clock.now()
  let changed = 0
  for (const some of batches(entries)) {
    await noteInJourneys(context, some, verb, at)
    changed += await run(some.map(({ id }) => id))
  }
  return { selected: selected.length, changed, untouched: selected.length - entries.length, missing }
}

/** Before the verb: whatever ends the process in between, nothing has left the queue of which its journey does not tell. */
function noteInJourneys(
  { store }: AdminContext,
  entries: readonly QueueEntry[],
  verb: OperatorVerb,
  at: number,
): Promise<void> {
  return store.flow.record(entries.map(({ id, journey }) => ({ journey, at, kind: 'operator', verb, entry: id })))
}

/** A whole queue in one go would hold up everybody else. */
function* batches(entries: readonly QueueEntry[]): Generator<QueueEntry[]> {
  for (let from = 0; from < entries.length; from += 500) yield entries.slice(from, from + 500)
}

export const queueHold = operation({
  name: 'queue.hold',
  kind: 'change',
  input: queueSelection,
  run: (context, selection) =>
    changeEntries(context, selection, 'hold', (entries) => context.store.queue.hold(entries)),
})

export const queueRelease = operation({
  name: 'queue.release',
  kind: 'change',
  input: queueSelection,
  run: (context, selection) =>
    changeEntries(context, selection, 'release', (entries) =>
      context.store.queue.release(entries, context.clock.now()),
    ),
})

export const queueRetry = operation({
  name: 'queue.retry',
  kind: 'change',
  input: queueSelection,
  run: (context, selection) =>
    changeEntries(context, selection, 'retry', (entries) => context.store.queue.retryNow(entries, context.clock.now())),
})

export const queueRedirect = operation({
  name: 'queue.redirect',
  kind: 'change',
  // Beside the selection: zod does not extend what it has refined.
  input: z.strictObject({ selection: queueSelection, nextHop: z.string().min(1).max(300) }),
  async run(context, { selection, nextHop }) {
    const named = nextHop === 'direct' ? undefined : context.nextHopKey(nextHop)
    if (nextHop !== 'direct' && named === undefined) {
      const advice = 'Write host, host:port, mx:domain, lmtp:host:port, or direct for the MX of the recipient.'
      throw new AdminError('bad-input', `"${nextHop}" is no next hop.`, advice)
    }
    const { entries: selected, missing } = await selectEntries(context, selection)
    const entries = selected.filter(({ route }) => route === 'remote')
    const at = context.clock.now()
    let changed = 0
    for (const [destination, group] of Map.groupBy(entries, (entry) => named ?? ownDestination(entry))) {
      context.running?.forgive([destination])
      for (const some of batches(group)) {
        await noteInJourneys(context, some, 'redirect', at)
        const ids = some.map(({ id }) => id)
        changed += await context.store.queue.redirect(ids, destination, at)
      }
    }
    return { selected: selected.length, changed, untouched: selected.length - entries.length, missing }
  },
})

/** The domain of its recipients. */
function ownDestination({ recipients: [first], destination }: QueueEntry): string {
  const domain = domainOf(first?.forwardPath ?? '')
  return lookupDomain(domain) ?? (domain.toLowerCase() || destination)
}

export const queueRemove = operation({
  name: 'queue.remove',
  kind: 'change',
  input: queueSelection,
  run: (context, selection) =>
    changeEntries(context, selection, 'remove', (entries) => context.store.queue.remove(entries)),
})

export const queueFail = operation({
  name: 'queue.fail',
  kind: 'change',
  input: queueSelection,
  async run(context, selection) {
    const { running } = context
    if (!running) {
      const text = 'Only the running server can bounce mail to its senders.'
      throw new AdminError('needs-server', text, 'Start it; or `pennypost queue remove` drops mail without a word.')
    }
    return changeEntries(context, selection, 'fail', (entries) => running.failEntries(entries))
  },
})

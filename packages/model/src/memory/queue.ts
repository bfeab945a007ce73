/** Mail under way: leased by runners, settled by outcomes, steered by operators. */
import type { QueueEntryId } from '../ids.ts'
import type { ClaimRequest, LeasedEntry, Queue, QueueEntry, QueueFilter, Settlement } from '../ports/queue.ts'
import { isSameAddress } from '../rules/address.ts'
import { applyAcceptances, checkAcceptances, consuming } from './arrival.ts'
import { type ClaimTurn, chooseEntries } from './claim.ts'
import { release } from './content.ts'
import { recordEvents } from './flow.ts'
import { type Changes, commit, type QueueRow, refuse, requireOpen, type State, watchIn } from './state.ts'

const entriesPerPage = 250

export function createQueue(state: State): Queue {
  let turn: ClaimTurn = { destination: '', retryNext: false }
  return {
    async claim(request) {
      return commit(state, () => {
        const claimed = chooseEntries(claimable(state, request), liveLeases(state, request.now), request, turn)
        turn = claimed.turn
        return claimed.chosen.map((row) => lease(state, row, request))
      })
    },
    async claimOne(id, now, leaseMs) {
      return commit(state, () => {
        const row = state.queue.get(id)
        return row && !isLeased(row, now) ? lease(state, row, { now, leaseMs }) : undefined
      })
    },
    async renew(leases, now, leaseMs) {
      return commit(state, () => {
        const lost: QueueEntryId[] = []
        for (const { entry, lease } of leases) {
          const row = state.queue.get(entry)
          if (row?.lease?.id === lease) row.lease.until = now + leaseMs
          else lost.push(entry)
        }
        return lost
      })
    },
    settle: (settlement) =>
      consuming(settlement.accept, () => commit(state, (changes) => settle(state, settlement, changes))),
    async nextDueAt() {
      requireOpen(state)
      const now = state.clock.now()
      const free = [...state.queue.values()].filter((row) => !row.entry.held && !isLeased(row, now))
      return free.length === 0 ? null : Math.min(...free.map((row) => row.entry.dueAt))
    },
    watch(onWake) {
      requireOpen(state)
      return watchIn(state.queueWatchers, { onWake })
    },
    ...createReading(state),
    ...createOperators(state),
  }
}

function createReading(state: State): Pick<Queue, 'get' | 'list' | 'counts'> {
  return {
    async get(id) {
      requireOpen(state)
      const row = state.queue.get(id)
      return row && entryOf(row, state.clock.now())
    },
    async *list(filter) {
      requireOpen(state)
      const now = state.clock.now()
      const entries = [...state.queue.values()].map((row) => entryOf(row, now)).filter((entry) => passes(entry, filter))
      entries.sort((a, b) => a.acceptedAt - b.acceptedAt || a.id - b.id)
      for (let at = 0; at < entries.length; at += entriesPerPage) yield entries.slice(at, at + entriesPerPage)
    },
    async counts(now) {
      requireOpen(state)
      const counts = { waiting: 0, due: 0, leased: 0, held: 0, oldestAcceptedAt: null as number | null }
      for (const row of state.queue.values()) {
        counts[stateOf(row, now)]++
        counts.oldestAcceptedAt = Math.min(counts.oldestAcceptedAt ?? row.entry.acceptedAt, row.entry.acceptedAt)
      }
      return counts
    },
  }
}

function createOperators(state: State): Pick<Queue, 'hold' | 'release' | 'retryNow' | 'redirect' | 'remove'> {
  /** Does it to each entry for which `isFor` holds, and counts them. */
  const each = (ids: readonly QueueEntryId[], isFor: (row: QueueRow) => boolean, change: (row: QueueRow) => void) =>
    commit(state, (changes) => {
      changes.queue = true
      const rows = [...new Set(ids)].flatMap((id) => state.queue.get(id) ?? []).filter(isFor)
      for (const row of rows) change(row)
      return rows.length
    })
  const isHeld = (row: QueueRow): boolean => row.entry.held
  const isFree = (row: QueueRow): boolean => !row.entry.held
  return {
    async hold(ids) {
      return each(ids, isFree, (row) => update(row, { held: true }))
    },
    async release(ids, now) {
      return each(ids, isHeld, (row) => update(row, { held: false, dueAt: now }))
    },
    async retryNow(ids, now) {
      return each(ids, isFree, (row) => update(row, { dueAt: now }))
    },
    async redirect(ids, destination, now) {
      const isRemote = ({ entry }: QueueRow): boolean => entry.route === 'remote'
      return each(ids, isRemote, (row) => update(row, { destination, ...(row.entry.held ? {} : { dueAt: now }) }))
    },
    async remove(ids) {
      return each(
        ids,
        () => true,
        (row) => dropEntry(state, row),
      )
    },
  }
}

function livingLease({ lease }: QueueRow, now: number): QueueRow['lease'] {
  return lease !== null && lease.until > now ? lease : null
}

function isLeased(row: QueueRow, now: number): boolean {
  return livingLease(row, now) !== null
}

function entryOf(row: QueueRow, now: number): QueueEntry {
  return { ...row.entry, leasedUntil: livingLease(row, now)?.until ?? null }
}

function stateOf(row: QueueRow, now: number): 'held' | 'leased' | 'due' | 'waiting' {
  if (row.entry.held) return 'held'
  if (isLeased(row, now)) return 'leased'
  return row.entry.dueAt <= now ? 'due' : 'waiting'
}

function claimable(state: State, { now }: ClaimRequest): QueueRow[] {
  return [...state.queue.values()].filter((row) => stateOf(row, now) === 'due')
}

function liveLeases(state: State, now: number): Map<string, number> {
  const leased = new Map<string, number>()
  for (const row of state.queue.values()) {
    if (isLeased(row, now)) leased.set(row.entry.destination, (leased.get(row.entry.destination) ?? 0) + 1)
  }
  return leased
}

function lease(state: State, row: QueueRow, { now, leaseMs }: Pick<ClaimRequest, 'now' | 'leaseMs'>): LeasedEntry {
  row.lease = { id: state.random.bytes(16).toString('hex'), until: now + leaseMs }
  return { ...entryOf(row, now), lease: row.lease.id }
}

function update(row: QueueRow, change: Partial<QueueRow['entry']>): void {
  row.entry = { ...row.entry, ...change }
}

function dropEntry(state: State, row: QueueRow): void {
  state.queue.delete(row.entry.id)
  release(state, row.message)
}

/** A lease that ran out and that nobody else took still settles: what was delivered is delivered. */
function settle(state: State, settlement: Settlement, changes: Changes) {
  const row = state.queue.get(settlement.entry)
  if (row?.lease?.id !== settlement.lease) refuse('lease-lost', 'The lease on the queue entry is lost.')
  checkAcceptances(state, settlement.accept)
  const { outcomes, delayNotified, nextAttemptAt, attempted, goesOn = false, hold = false } = settlement
  const recipients = row.entry.recipients
    .map((recipient) => {
      const outcome = outcomes.find((candidate) => candidate.index === recipient.index)
      if (outcome && outcome.outcome !== 'deferred') return undefined
      return {
        ...recipient,
        lastReply: outcome?.reply ?? recipient.lastReply,
        delayNotified: recipient.delayNotified || delayNotified.includes(recipient.index),
      }
    })
    .filter((recipient) => recipient !== undefined)
  if (goesOn) update(row, { recipients })
  else {
    row.lease = null
    const dueAt = row.entry.dueAt === settlement.dueAt ? nextAttemptAt : row.entry.dueAt
    const held = row.entry.held || hold
    update(row, { recipients, dueAt, held, attempts: row.entry.attempts + (attempted ? 1 : 0) })
  }
  recordEvents(state, settlement.flow)
  const accepted = applyAcceptances(state, settlement.accept, changes)
  if (recipients.length === 0) dropEntry(state, row)
  changes.queue = true
  return accepted
}

function passes(entry: QueueEntry, filter: QueueFilter): boolean {
  const { destination, reversePath, forwardPath, journey, held, acceptedBefore } = filter
  return (
    (destination === undefined || `${entry.destination};`.startsWith(`${destination};`)) &&
    (reversePath === undefined || isSameAddress(entry.envelope.reversePath, reversePath)) &&
    (forwardPath === undefined || entry.recipients.some((each) => isSameAddress(each.forwardPath, forwardPath))) &&
    (journey === undefined || entry.journey === journey) &&
    (held === undefined || entry.held === held) &&
    (acceptedBefore === undefined || entry.acceptedAt < acceptedBefore)
  )
}

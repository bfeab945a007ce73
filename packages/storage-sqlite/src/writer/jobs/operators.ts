import type { WriterContext } from '../context.ts'
import { releaseMessages } from './message-rows.ts'
import { enterLane, refreshLane } from './queue-rows.ts'

/** What operators do to queue entries. Each verb gives how many entries it changed; an attempt under way goes on. */
interface EntryRow {
  id: number
  destination: string
  retry: number
  held: boolean
  leased: boolean
  isRemote: boolean
  message: number
}

/** Does it to each entry that is there, and counts those for which `change` says that it did something. */
function eachEntry(context: WriterContext, entries: readonly number[], change: (row: EntryRow) => boolean): number {
  context.effects.queue = true
  let changed = 0
  for (const id of new Set(entries)) {
    const row = context
      .raw('SELECT destination, retry, held, lease_until, message, route FROM queue WHERE id = ?')
      .get(id) as [string, number, number, number | null, number, string] | undefined
    if (!row) continue
    const [destination, retry, held, leaseUntil, message, route] = row
    const state = { held: held === 1, leased: leaseUntil !== null, isRemote: route === 'remote' }
    if (change({ id, destination, retry, ...state, message })) changed++
  }
  return changed
}

export function hold(context: WriterContext, entries: readonly number[]): number {
  return eachEntry(context, entries, ({ id, destination, retry, held }) => {
    if (held) return false
    context.sql('UPDATE queue SET held = 1 WHERE id = ?').run(id)
    refreshLane(context, destination, retry)
    return true
  })
}

export function release(context: WriterContext, args: { entries: readonly number[]; now: number }): number {
  return eachEntry(context, args.entries, ({ id, destination, retry, held, leased }) => {
    if (!held) return false
    context.sql('UPDATE queue SET held = 0, due_at = ? WHERE id = ?').run(args.now, id)
    if (!leased) enterLane(context, destination, retry, args.now)
    return true
  })
}

export function retryNow(context: WriterContext, args: { entries: readonly number[]; now: number }): number {
  return eachEntry(context, args.entries, ({ id, destination, retry, held, leased }) => {
    if (held) return false
    context.sql('UPDATE queue SET due_at = ? WHERE id = ?').run(args.now, id)
    if (!leased) {
      enterLane(context, destination, retry, args.now)
      refreshLane(context, destination, retry)
    }
    return true
  })
}

export function redirect(
  context: WriterContext,
  { entries, destination: to, now }: { entries: readonly number[]; destination: string; now: number },
): number {
  return eachEntry(context, entries, ({ id, destination, retry, held, leased, isRemote }) => {
    if (!isRemote) return false
    context.sql('UPDATE queue SET destination = ?, due_at = iif(held, due_at, ?) WHERE id = ?').run(to, now, id)
    if (held || leased) return true
    refreshLane(context, destination, retry)
    enterLane(context, to, retry, now)
    return true
  })
}

export function removeEntries(context: WriterContext, entries: readonly number[]): number {
  return eachEntry(context, entries, ({ id, destination, retry, message }) => {
    context.sql('DELETE FROM queue WHERE id = ?').run(id)
    refreshLane(context, destination, retry)
    releaseMessages(context, [message])
    return true
  })
}

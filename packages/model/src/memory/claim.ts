/**
 * Which entries a claim gives: one destination after the other, first attempts and retries by halves, so that neither
 * a dead destination nor a flood of new mail keeps anything else waiting.
 */
import type { ClaimRequest } from '../ports/queue.ts'
import { compareText, type QueueRow } from './state.ts'

/** Where the last claim ended: the next one goes on from there. */
export interface ClaimTurn {
  /** The destination that was served last. */
  destination: string
  /** Who gets the odd slot. */
  retryNext: boolean
}

/** The due rows to lease, and the turn for the next claim. `leased` counts the living leases of each destination. */
export function chooseEntries(
  due: readonly QueueRow[],
  leased: ReadonlyMap<string, number>,
  request: ClaimRequest,
  turn: ClaimTurn,
): { chosen: QueueRow[]; turn: ClaimTurn } {
  const { slots, perDestination, retries: mostRetries = slots } = request
  const chosen = new Set<QueueRow>()
  const busy = new Map(leased)
  let { destination } = turn
  let retries = 0

  /** Takes up to `count` rows, one of each destination in turn. */
  function take(rows: readonly QueueRow[], count: number): void {
    const waiting = Map.groupBy(rows, (row) => row.entry.destination)
    for (const queue of waiting.values()) queue.sort(byDueTime)
    for (let left = count; left > 0; left--) {
      const open = [...waiting.keys()].filter((name) => (busy.get(name) ?? 0) < perDestination).sort(compareText)
      const next = open.find((name) => compareText(name, destination) > 0) ?? open[0]
      if (next === undefined) return
      const queue = waiting.get(next) as QueueRow[]
      const row = queue.shift() as QueueRow
      if (queue.length === 0) waiting.delete(next)
      chosen.add(row)
      busy.set(next, (busy.get(next) ?? 0) + 1)
      if (row.entry.attempts > 0) retries++
      destination = next
    }
  }

  const firstAttempts = (): QueueRow[] => due.filter((row) => row.entry.attempts === 0 && !chosen.has(row))
  const later = (): QueueRow[] => due.filter((row) => row.entry.attempts > 0 && !chosen.has(row))
  const left = (): number => slots - chosen.size
  const retryShare = Math.min(mostRetries, turn.retryNext ? Math.ceil(slots / 2) : Math.floor(slots / 2))
  take(firstAttempts(), slots - retryShare)
  take(later(), Math.min(left(), retryShare))
  take(firstAttempts(), left())
  take(later(), Math.min(left(), mostRetries - retries))
  const odd = slots % 2 === 1 && chosen.size > 0
  return { chosen: [...chosen], turn: { destination, retryNext: odd ? !turn.retryNext : turn.retryNext } }
}

function byDueTime(a: QueueRow, b: QueueRow): number {
  return a.entry.dueAt - b.entry.dueAt || a.entry.id - b.entry.id
}

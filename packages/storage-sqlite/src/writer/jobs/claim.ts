import type { WriterContext } from '../context.ts'
import { enterLane, refreshLane } from './queue-rows.ts'

/**
 * Leasing queue entries: one destination after the other in order of name, going on where the last claim ended, first
 * attempts and retries by halves. What a claim costs depends on what it gives, not on what waits: it goes over lanes,
 * of which there is one for each destination.
 */
export interface ClaimArguments {
  now: number
  slots: number
  retries: number
  perDestination: number
  leaseMs: number
}

export interface ClaimedRow {
  id: number
  lease: string
}

/** At most so many lanes become ready, and leases are noticed to have run out, in one claim. */
const wakeLimit = 200

export function claim(context: WriterContext, args: ClaimArguments): ClaimedRow[] {
  endLeases(context, args.now)
  wakeLanes(context, args.now)
  const { slots, retries: mostRetries } = args
  const turn = context.claimTurn
  const taker = new Taker(context, args)
  const retryShare = Math.min(mostRetries, turn.retryNext ? Math.ceil(slots / 2) : Math.floor(slots / 2))
  taker.take(0, slots - retryShare)
  const retries = taker.take(1, Math.min(slots - taker.claimed.length, retryShare))
  taker.take(0, slots - taker.claimed.length)
  taker.take(1, Math.min(slots - taker.claimed.length, mostRetries - retries))
  const odd = slots % 2 === 1 && taker.claimed.length > 0
  context.claimTurn = { destination: taker.destination, retryNext: odd ? !turn.retryNext : turn.retryNext }
  return taker.claimed
}

/** Entries whose lease ran out wait again; until somebody takes them, it still settles. */
function endLeases(context: WriterContext, now: number): void {
  const rows = context
    .raw('SELECT id, destination, retry, due_at, held FROM queue WHERE lease_until <= ? LIMIT ?')
    .all(now, wakeLimit) as [number, string, number, number, number][]
  const end = context.sql('UPDATE queue SET lease_until = NULL WHERE id = ?')
  for (const [id, destination, retry, dueAt, held] of rows) {
    end.run(id)
    if (!held) enterLane(context, destination, retry, dueAt)
  }
}

function wakeLanes(context: WriterContext, now: number): void {
  for (const retry of [0, 1]) {
    context
      .sql(
        `UPDATE lanes SET ready = 1 WHERE ready = 0 AND (destination, retry) IN
          (SELECT destination, retry FROM lanes WHERE ready = 0 AND retry = ? AND due_at <= ? ORDER BY due_at LIMIT ?)`,
      )
      .run(retry, now, wakeLimit)
  }
}

class Taker {
  readonly claimed: ClaimedRow[] = []
  destination: string
  readonly #context: WriterContext
  readonly #args: ClaimArguments
  readonly #leased = new Map<string, number>()

  constructor(context: WriterContext, args: ClaimArguments) {
    this.#context = context
    this.#args = args
    this.destination = context.claimTurn.destination
  }

  /** Takes up to `count` entries, one of each destination in turn; gives how many. */
  take(retry: 0 | 1, count: number): number {
    let taken = 0
    let round: Iterable<string> = this.#lanes(retry)
    for (let served = 1; served > 0 && taken < count; ) {
      const again: string[] = []
      for (const lane of round) {
        if (taken >= count) break
        if (!this.#lease(retry, lane)) continue
        taken++
        again.push(lane)
      }
      served = again.length
      round = again
    }
    return taken
  }

  /** Ready lanes in turn, each once: those after the destination that was served last, then the others. */
  *#lanes(retry: 0 | 1): Generator<string> {
    const begun = this.destination
    const next = this.#context.pluck(
      `SELECT destination FROM lanes WHERE ready = 1 AND retry = ? AND destination > ? AND destination <= ?
        ORDER BY destination LIMIT 32`,
    )
    for (const [from, to] of [
      [begun, '\u{10ffff}'],
      ['', begun],
    ] as const) {
      for (let after = from; ; ) {
        const lanes = next.all(retry, after, to) as string[]
        yield* lanes
        const last = lanes.at(-1)
        if (last === undefined) break
        after = last
      }
    }
  }

  #isFull(destination: string): boolean {
    let leased = this.#leased.get(destination)
    if (leased === undefined) {
      leased = this.#context
        .pluck('SELECT count(*) FROM queue WHERE destination = ? AND lease_until IS NOT NULL')
        .get(destination) as number
      this.#leased.set(destination, leased)
    }
    return leased >= this.#args.perDestination
  }

  /** Leases the lane's earliest entry. False when the destination has its share, or nothing is due there. */
  #lease(retry: 0 | 1, destination: string): boolean {
    if (this.#isFull(destination)) return false
    const { now, leaseMs } = this.#args
    const context = this.#context
    const [first, second] = context
      .raw(
        `SELECT id, due_at FROM queue WHERE destination = ? AND retry = ? AND lease_until IS NULL AND held = 0
          ORDER BY due_at, id LIMIT 2`,
      )
      .all(destination, retry) as [number, number][]
    const isDue = first !== undefined && first[1] <= now
    if (isDue) {
      const lease = leaseRow(context, first[0], now + leaseMs)
      this.claimed.push({ id: first[0], lease })
      this.#leased.set(destination, (this.#leased.get(destination) ?? 0) + 1)
      this.destination = destination
    }
    const next = isDue ? second : first
    if (next === undefined) {
      context.sql('DELETE FROM lanes WHERE destination = ? AND retry = ?').run(destination, retry)
    } else {
      context
        .sql('UPDATE lanes SET due_at = ?, ready = ? WHERE destination = ? AND retry = ?')
        .run(next[1], next[1] <= now ? 1 : 0, destination, retry)
    }
    return isDue
  }
}

/** Leases this entry, due or not, held or not, unless somebody has it. */
export function claimOne(
  context: WriterContext,
  { entry: id, now, leaseMs }: { entry: number; now: number; leaseMs: number },
): ClaimedRow[] {
  const row = context
    .raw('SELECT destination, retry FROM queue WHERE id = ? AND (lease_until IS NULL OR lease_until <= ?)')
    .get(id, now) as [string, number] | undefined
  if (!row) return []
  const lease = leaseRow(context, id, now + leaseMs)
  refreshLane(context, ...row)
  return [{ id, lease }]
}

function leaseRow(context: WriterContext, id: number, until: number): string {
  const lease = `${context.incarnation}.${context.nextLease++}`
  context.sql('UPDATE queue SET lease = ?, lease_until = ? WHERE id = ?').run(lease, until, id)
  return lease
}

/** Lengthens leases; gives the entries whose lease is lost. */
export function renew(
  context: WriterContext,
  args: { leases: readonly { entry: number; lease: string }[]; until: number },
): number[] {
  const lengthen = context.sql('UPDATE queue SET lease_until = ? WHERE id = ? AND lease = ?')
  const lost: number[] = []
  for (const { entry, lease } of args.leases) {
    const row = context
      .raw('SELECT destination, retry, lease_until FROM queue WHERE id = ? AND lease = ?')
      .get(entry, lease) as [string, number, number | null] | undefined
    if (!row) {
      lost.push(entry)
      continue
    }
    const [destination, retry, until] = row
    lengthen.run(args.until, entry, lease)
    if (until === null) refreshLane(context, destination, retry)
  }
  return lost
}

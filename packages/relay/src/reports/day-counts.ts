/**
 * What happened how often on a day, for the report that a domain gets of it: kinds of happenings, each with its number.
 *
 * Never broken: counting costs whoever counts next to nothing; what was counted reaches the policy memory within a
 * minute, and at the end of the process. Who makes up kinds without end makes reports poorer, and fills no disk.
 * Who calls it: the counts of TLS sessions and of DMARC results; the nightly reports, for what a day came to.
 */
import { type Clock, type Log, type MemoryKind, memoryLimits, type PolicyMemory, type Timer } from '@pennypost/model'

/** A kind of happening, and how often it was. */
export type Counted<T> = T & { count: number }

export interface DayCounts<T> {
  note(happened: T): void
  /** Writes down what is only counted so far. */
  flush(): Promise<void>
  /** What was on the days before `today` (`2026-11-26`), by day, as far as it is not forgotten yet. */
  before(today: string): Promise<ReadonlyMap<string, Counted<T>[]>>
  /** What was of a domain on a day: it has its report, or wants none. */
  forget(day: string, domain: string): Promise<void>
}

export interface DayCountsOptions<T> {
  memory: Pick<PolicyMemory, 'note' | 'recall' | 'list' | 'forget'>
  clock: Clock
  log: Log
  kind: MemoryKind
  /** For the log: `TLS sessions`. */
  what: string
  /** What is of one key is of one kind; `domain` is told apart already. */
  keyOf(happened: T): string
  /** As JSON of at most `memoryLimits.value` characters. */
  print(counted: Counted<T>): string
}

const flushMs = 60_000
const keptMs = 4 * 86_400_000
/** Kinds that are counted between two writes; more of them are left out. */
const countedMax = 10_000
/** Kinds that are new on a day, since the start: in all, and of one domain. */
const kindsMax = 20_000
const kindsOfDomainMax = 2_000
const pageSize = 1000
/** Most domains have not more kinds in a day. */
const fewRows = 20

/** Counts in memory; `before` and `forget` reject as the policy memory does, nothing else. */
export function createDayCounts<T extends { domain: string }>(options: DayCountsOptions<T>): DayCounts<T> {
  const { memory, clock, log, kind, what, keyOf, print } = options
  let counted = new Map<string, Counted<T>>()
  let timer: Timer | undefined
  let writing = Promise.resolve()
  const room = new RoomOfDay()

  /** One after the other: each adds to what the one before has written. */
  const flush = (): Promise<void> => {
    writing = writing.then(write)
    return writing
  }

  const write = async (): Promise<void> => {
    timer?.[Symbol.dispose]()
    timer = undefined
    const now = counted
    counted = new Map()
    const at = clock.now()
    for (const [key, happened] of now) {
      try {
        const before = await memory.recall(kind, key, at)
        if (!before && !room.take(key.slice(0, 10), happened.domain)) continue
        const value = print({ ...happened, count: happened.count + (before ? countIn(before.value) : 0) })
        await memory.note([{ kind, key, at, expiresAt: at + keptMs, value }])
      } catch (error) {
        log.error({ err: error }, `${what} cannot be counted`)
      }
    }
  }

  return {
    note(happened) {
      const { domain } = happened
      const key = `${dayOf(clock.now())} ${domain} ${keyOf(happened)}`
      const met = counted.get(key)
      if (met) met.count++
      else if (counted.size < countedMax && key.length <= memoryLimits.key) counted.set(key, { ...happened, count: 1 })
      timer ??= clock.after(flushMs, async () => {
        using _busy = clock.busy(what)
        await flush()
      })
    },
    flush,
    async before(today) {
      const days = new Map<string, Counted<T>[]>()
      for await (const { key, value } of rows(options, '', pageSize)) {
        if (key >= today) break
        const day = key.slice(0, today.length)
        const ofDay = days.get(day) ?? []
        days.set(day, ofDay)
        ofDay.push(JSON.parse(value) as Counted<T>)
      }
      return days
    },
    async forget(day, domain) {
      const from = `${day} ${domain} `
      for await (const { key } of rows(options, from, fewRows)) {
        if (!key.startsWith(from)) return
        await memory.forget(kind, key)
      }
    },
  }
}

/** How many kinds were new on a day. */
class RoomOfDay {
  #day = ''
  #kinds = 0
  #ofDomain = new Map<string, number>()

  /** Whether there is room for one more. */
  take(day: string, domain: string): boolean {
    if (this.#day !== day) {
      this.#day = day
      this.#kinds = 0
      this.#ofDomain.clear()
    }
    const ofDomain = this.#ofDomain.get(domain) ?? 0
    if (this.#kinds >= kindsMax || ofDomain >= kindsOfDomainMax) return false
    this.#kinds++
    this.#ofDomain.set(domain, ofDomain + 1)
    return true
  }
}

/** In the order of their keys, which begin with the day and the domain. */
async function* rows(
  { memory, clock, kind }: Pick<DayCountsOptions<never>, 'memory' | 'clock' | 'kind'>,
  from: string,
  limit: number,
): AsyncGenerator<{ key: string; value: string }> {
  for (let after = from; ; ) {
    const page = await memory.list(kind, clock.now(), { limit, after })
    yield* page
    const last = page.at(-1)
    if (!last || page.length < limit) return
    after = last.key
  }
}

function countIn(value: string): number {
  return (JSON.parse(value) as Counted<object>).count
}

/** The day in UTC, as keys and reports name it. */
export function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}

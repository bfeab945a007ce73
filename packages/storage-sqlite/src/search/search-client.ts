import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import {
  type Clock,
  type Deadline,
  type Log,
  type MailboxId,
  type SearchQuery,
  StoreError,
  type StoreFault,
  type Timer,
  type UidSet,
} from '@pennypost/model'
import { boundsOf, uidsOf } from '../bounds.ts'
import type { GroupReply } from '../writer/protocol.ts'
import { unavailable } from '../writer-client.ts'
import type { FromSearch, IndexState, News, SearchData, ToSearch } from './protocol.ts'
import { packQuery } from './query.ts'

/**
 * The main thread's side of the search thread: passes searches to it, and says when there is time to index. The thread is
 * started when first needed; when it breaks, searches under way fail and the next one starts it again.
 */
export interface SearchClientOptions {
  url: URL
  data: SearchData
  clock: Clock
  deadline: Deadline
  log: Log
  limits: SearchLimits
  /** The highest id of a message in the store, 0 when there is none. */
  newest(): number
  /** Whether the file system has so many octets above its reserve. */
  hasRoom(octets: number): boolean
}

export interface SearchLimits {
  /** The index grows no more at this size (octets); 0: there is none. */
  searchIndexOctets: number
  /** Milliseconds after a commit that indexing starts. */
  searchIndexDelayMs: number
}

export interface SearchStats {
  /** `full`: as large as it may be. `stopped`: it could not go on, the log says why. */
  index: 'off' | 'whole' | 'behind' | 'full' | 'no-room' | 'stopped'
  /** Messages of opened accounts that are not in the index yet, at most; one for each mailbox that was not looked at. */
  behind: number
  /** Size of the index. */
  octets: number
}

/**
 * Rests between pieces of indexing, in times of what the last piece took the thread; busy is who has taken mail in meanwhile,
 * wanted is what somebody searches. They begin when the thread is done: a main thread that hears of it late has made it rest
 * already.
 */
const rests = { wanted: 0, idle: 1, wantedWhileBusy: 3, busy: 7 }
/** After it could not go on for want of room, on the disk or in the index. */
const retryMs = 60_000
/** What a piece may take of the file system. */
const pieceOctets = 16 * 1024 * 1024

interface Pending {
  resolve: (message: FromSearch) => void
  reject: (error: Error) => void
}

export class SearchClient {
  readonly #options: SearchClientOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  #exited: Promise<void> = Promise.resolve()
  #nextId = 1
  #closed = false
  #busy: Disposable | undefined
  #timer: Timer | undefined
  #state: IndexState = { behind: 0, octets: 0, more: false }
  /** When the piece that is being indexed was begun; undefined while none is. */
  #begunAt: number | undefined
  /** The newest message when the last piece was done. */
  #newestBefore = 0
  /** Somebody searched what is not in the index yet. */
  #wanted = false
  /** Accounts of which somebody has opened a mailbox since the start, or put mail there: their mail is indexed. */
  readonly #opened = new Set<number>()
  /** What the thread is to be told with the next piece. */
  #accounts = new Set<number>()
  #mailboxes = new Set<number>()
  /** An index was there at the start, and no thread has opened it: it believes that it is told of all that goes. */
  #isUnopened: boolean

  constructor(options: SearchClientOptions) {
    this.#options = options
    this.#isUnopened = existsSync(options.data.path)
  }

  /** Somebody has opened a mailbox of this account, or put mail there. */
  opened(account: number | undefined): void {
    if (account === undefined || this.#opened.has(account)) return
    this.#opened.add(account)
    this.#accounts.add(account)
    this.#schedule(this.#options.limits.searchIndexDelayMs)
  }

  /** Rejects with the signal's reason once it is aborted; the thread stops then too. */
  async search(mailbox: MailboxId, query: SearchQuery, within: UidSet, signal?: AbortSignal): Promise<UidSet> {
    signal?.throwIfAborted()
    const id = this.#nextId++
    const cancel = () => {
      this.#post({ kind: 'cancel', id })
      this.#settle(id)?.reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', cancel)
    try {
      const found = await this.#request(id, {
        kind: 'search',
        id,
        mailbox,
        query: packQuery(query),
        within: boundsOf(within),
      })
      if (found.kind !== 'found') throw new Error('the search thread gave another answer')
      if (found.behind) this.#want()
      return uidsOf(found.bounds)
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  /** After each commit. */
  committed({ gone, mailboxes }: Pick<GroupReply, 'gone' | 'mailboxes'>): void {
    if (gone.length > 0) this.#forget(gone)
    for (const [mailbox, [account]] of mailboxes) if (this.#opened.has(account)) this.#mailboxes.add(mailbox)
    if (this.#hasNews) this.#schedule(this.#options.limits.searchIndexDelayMs)
  }

  /** Damage of the index; nothing where there is none yet. */
  async check(): Promise<StoreFault[]> {
    if (!this.#keeps || !(this.#worker || existsSync(this.#options.data.path))) return []
    const id = this.#nextId++
    const answer = await this.#request(id, { kind: 'check', id })
    return answer.kind === 'checked' ? answer.faults : []
  }

  stats(): SearchStats {
    const { octets, stopped } = this.#state
    const behind = this.#state.behind + this.#mailboxes.size
    if (!this.#keeps) return { index: 'off', behind: 0, octets: 0 }
    if (stopped) return { index: stopped === 'no-room' ? 'no-room' : 'stopped', behind, octets }
    if (behind === 0 && !this.#hasNews) return { index: 'whole', behind, octets }
    return { index: this.#isFull ? 'full' : 'behind', behind, octets }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.[Symbol.dispose]()
    this.#worker?.postMessage({ kind: 'close' } satisfies ToSearch)
    await this.#exited
  }

  get #keeps(): boolean {
    return this.#options.data.keeps
  }

  /** Something of which no piece that is done can tell. */
  get #hasNews(): boolean {
    return this.#accounts.size > 0 || this.#mailboxes.size > 0 || this.#begunAt !== undefined
  }

  get #isFull(): boolean {
    return this.#state.octets >= this.#options.limits.searchIndexOctets
  }

  /** 0 where the database is damaged there: then nothing is indexed, and what can be read is served. */
  #newest(): number {
    try {
      return this.#options.newest()
    } catch (error) {
      if (this.#state.stopped !== 'failed') this.#options.log.error({ err: error }, 'search: nothing more is indexed')
      this.#state = { ...this.#state, stopped: 'failed' }
      return 0
    }
  }

  #forget(gone: readonly number[]): void {
    if (!this.#keeps || this.#closed) return
    if (this.#worker || this.#isUnopened) this.#post({ kind: 'gone', messages: gone })
  }

  #want(): void {
    this.#wanted = true
    this.#state = { ...this.#state, more: true, behind: Math.max(1, this.#state.behind) }
    this.#schedule(this.#options.limits.searchIndexDelayMs)
  }

  #schedule(ms: number): void {
    if (this.#closed || !this.#keeps || this.#timer || this.#begunAt !== undefined) return
    if (this.#state.stopped === 'failed') return
    this.#timer = this.#options.deadline.after(ms, () => {
      this.#timer = undefined
      this.#index()
    })
  }

  /** Has a piece indexed, if there is one. */
  #index(): void {
    const { hasRoom, clock } = this.#options
    // In an empty store a thread would be started for nothing.
    if (this.#newest() === 0) {
      this.#takeNews()
      return
    }
    if (!this.#hasNews && !this.#state.more && this.#state.behind === 0) return
    if (!hasRoom(pieceOctets)) {
      this.#state = { ...this.#state, stopped: 'no-room' }
      this.#schedule(retryMs)
      return
    }
    this.#begunAt = clock.elapsed()
    this.#worker ??= this.#start()
    this.#post({ kind: 'index', grows: !this.#isFull, ...this.#takeNews() })
  }

  #takeNews(): News {
    const news = { accounts: [...this.#accounts], mailboxes: [...this.#mailboxes] }
    this.#accounts.clear()
    this.#mailboxes.clear()
    return news
  }

  #indexed(state: IndexState, tookMs: number): void {
    const restedMs = this.#options.clock.elapsed() - (this.#begunAt ?? 0) - tookMs
    this.#begunAt = undefined
    this.#state = state
    if (state.stopped) this.#schedule(retryMs)
    else if (state.more) {
      const newest = this.#newest()
      const isBusy = newest !== this.#newestBefore
      const rest = this.#wanted ? (isBusy ? rests.wantedWhileBusy : rests.wanted) : isBusy ? rests.busy : rests.idle
      this.#newestBefore = newest
      this.#schedule(Math.max(0, Math.ceil(tookMs * rest - restedMs)))
    } else {
      this.#wanted = false
      // What came while the last piece was read.
      if (this.#hasNews) this.#schedule(this.#options.limits.searchIndexDelayMs)
      // It was full: mail may have gone, or will.
      else if (state.behind > 0) this.#schedule(this.#isFull ? retryMs : 0)
    }
  }

  #request(id: number, message: ToSearch): Promise<FromSearch> {
    if (this.#closed) return Promise.reject(unavailable())
    const { promise, resolve, reject } = Promise.withResolvers<FromSearch>()
    this.#busy ??= this.#options.clock.busy('search')
    this.#pending.set(id, { resolve, reject })
    this.#post(message)
    return promise
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (this.#pending.size === 0) {
      this.#busy?.[Symbol.dispose]()
      this.#busy = undefined
    }
    return pending
  }

  #post(message: ToSearch): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const { url, data, log } = this.#options
    const worker = new Worker(url, {
      workerData: data,
      name: 'pennypost-search',
      // Texts die as soon as they were looked at: with more room they leave a heap that is never given back.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    })
    worker.on('message', (message: FromSearch) => this.#receive(message))
    worker.on('error', (error) => log.error({ err: error }, 'search: the thread has broken'))
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#ended(worker)
        resolve()
      })
    })
    this.#isUnopened = false
    for (const account of this.#opened) this.#accounts.add(account)
    return worker
  }

  /** Nothing that was asked will be answered any more. */
  #ended(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined
    for (const id of this.#pending.keys()) this.#settle(id)?.reject(unavailable())
    // A piece that breaks the thread would break it again.
    if (this.#begunAt !== undefined) this.#state = { ...this.#state, stopped: 'failed' }
    this.#begunAt = undefined
  }

  #receive(message: FromSearch): void {
    switch (message.kind) {
      case 'indexed':
        this.#indexed(message.state, message.tookMs)
        break
      case 'note':
        this.#options.log[message.level]({ why: message.why }, message.text)
        break
      case 'refused':
        this.#settle(message.id)?.reject(new StoreError(message.refusal, message.text))
        break
      case 'failed':
        this.#settle(message.id)?.reject(new Error(`in the search thread: ${message.message}`))
        break
      default:
        this.#settle(message.id)?.resolve(message)
    }
  }
}

import { Worker } from 'node:worker_threads'
import { type Clock, type Deadline, StoreError, type Timer } from '@pennypost/model'
import type { JobArguments, JobResult, Verb } from './writer/jobs.ts'
import type { FromWriter, GroupReply, Job, JobReply, ToWriter, WriterData } from './writer/protocol.ts'

/**
 * The main thread's side of the writer: collects the jobs of one turn of the event loop into one message, bounds what
 * is under way, settles promises after the commit, and then wakes watchers. It also owns the time of the writer's sync.
 */
export interface WriterClientOptions {
  url: URL
  data: WriterData
  clock: Clock
  deadline: Deadline
  limits: { jobsInFlight: number; octetsInFlight: number; jobsWaiting: number; relaxedSyncMs: number }
  /** After the replies of a commit have settled their promises. */
  onGroup: (group: GroupReply) => void
  onFatal: (error: Error) => void
}

interface Pending {
  resolve: (value: JobResult<Verb>) => void
  reject: (error: Error) => void
  octets: number
  transfer: readonly ArrayBuffer[]
}

/** What a job carries: octets, for the bound on memory, and those of its buffers that the writer takes over. */
interface Load {
  octets: number
  transfer: readonly ArrayBuffer[]
}

const noLoad: Load = { octets: 0, transfer: [] }

export class WriterClient {
  /** Resolves when the database is open, with whether the last process had not closed it. */
  readonly ready: Promise<{ unclean: boolean }>
  readonly #options: WriterClientOptions
  readonly #worker: Worker
  readonly #pending = new Map<number, Pending>()
  /** Jobs for the next message, or that wait for room in the writer. */
  #waiting: Job[] = []
  #nextId = 1
  #inFlight = 0
  #octets = 0
  #flushing = false
  #syncTimer: Timer | undefined
  #busy: Disposable | undefined
  #state: 'open' | 'draining' | 'closed' | 'failed' = 'open'
  #drained: (() => void) | undefined
  readonly #exited: Promise<void>

  constructor(options: WriterClientOptions) {
    this.#options = options
    this.#worker = new Worker(options.url, {
      workerData: options.data,
      name: 'pennypost-writer',
      // Jobs die young: with room for more of them, each collection finds next to nothing alive.
      resourceLimits: { maxYoungGenerationSizeMb: 48 },
    })
    const { promise, resolve, reject } = Promise.withResolvers<{ unclean: boolean }>()
    this.ready = promise
    this.#worker.on('message', (message: FromWriter) => {
      if (message.kind === 'group') this.#receive(message.group)
      else if (message.kind === 'ready') resolve(message)
      else if (message.kind === 'closed') this.#state = 'closed'
      else this.#fail(new Error(message.message), reject)
    })
    this.#worker.on('error', (error) => this.#fail(error, reject))
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        if (this.#state !== 'closed') this.#fail(new Error('the writer thread ended'), reject)
        resolve()
      })
    })
  }

  /** Jobs that have not been answered yet. */
  get pending(): number {
    return this.#pending.size
  }

  /** The store failed: what became of jobs that were under way is not known before the next start. */
  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  /** Runs a job; resolves after its commit. */
  run<V extends Verb>(verb: V, args: JobArguments<V>, { octets, transfer }: Load = noLoad): Promise<JobResult<V>> {
    if (this.#state !== 'open') return Promise.reject(unavailable())
    if (this.#waiting.length >= this.#options.limits.jobsWaiting) {
      return Promise.reject(new StoreError('unavailable', 'too many changes are waiting'))
    }
    const { promise, resolve, reject } = Promise.withResolvers<JobResult<V>>()
    const job: Job<V> = { id: this.#nextId++, verb, args }
    this.#busy ??= this.#options.clock.busy('storage write')
    this.#pending.set(job.id, { resolve: resolve as Pending['resolve'], reject, octets, transfer })
    this.#waiting.push(job as Job)
    this.#schedule()
    return promise
  }

  post(message: ToWriter): void {
    if (this.#state === 'open') this.#worker.postMessage(message)
  }

  /** Takes no more jobs; resolves when those under way are done. */
  async drain(): Promise<void> {
    if (this.#state !== 'open') return
    this.#state = 'draining'
    if (this.#pending.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    await promise
  }

  /** Closes the database; after `drain`. The thread is gone when it resolves. */
  async close(): Promise<void> {
    this.#syncTimer?.[Symbol.dispose]()
    if (this.#state === 'failed') await this.#worker.terminate()
    else this.#worker.postMessage({ kind: 'close' } satisfies ToWriter)
    await this.#exited
  }

  /** setImmediate: whatever else this turn of the loop reads from sockets goes into the same message. */
  #schedule(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    const { jobsInFlight, octetsInFlight } = this.#options.limits
    let count = 0
    const transfer: ArrayBuffer[] = []
    for (const job of this.#waiting) {
      if (this.#inFlight >= jobsInFlight || (this.#octets >= octetsInFlight && this.#inFlight > 0)) break
      this.#inFlight++
      const pending = this.#pending.get(job.id)
      this.#octets += pending?.octets ?? 0
      if (pending && pending.transfer.length > 0) transfer.push(...pending.transfer)
      count++
    }
    if (count === 0) return
    const jobs = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count)
    this.#waiting = jobs === this.#waiting ? [] : this.#waiting.slice(count)
    this.#worker.postMessage({ kind: 'jobs', jobs } satisfies ToWriter, transfer)
  }

  #receive(group: GroupReply): void {
    for (const reply of group.replies) this.#settle(reply)
    if (group.unsynced && !this.#syncTimer) {
      this.#syncTimer = this.#options.deadline.after(this.#options.limits.relaxedSyncMs, () => {
        this.#syncTimer = undefined
        this.post({ kind: 'sync' })
      })
    }
    this.#options.onGroup(group)
    if (this.#waiting.length > 0) this.#schedule()
    if (this.#pending.size > 0) return
    this.#busy?.[Symbol.dispose]()
    this.#busy = undefined
    this.#drained?.()
  }

  #settle(reply: JobReply): void {
    const pending = this.#pending.get(reply.id)
    if (!pending) return
    this.#pending.delete(reply.id)
    this.#inFlight--
    this.#octets -= pending.octets
    if ('value' in reply) pending.resolve(reply.value)
    else if ('refusal' in reply) pending.reject(new StoreError(reply.refusal, reply.text))
    else {
      const error = Object.assign(new Error(reply.error.message), { code: reply.error.code })
      error.stack = `${error.message}\n    in the writer: ${reply.error.stack}`
      pending.reject(error)
    }
  }

  /** Nothing that is under way was acknowledged, and nothing will be. */
  #fail(error: Error, rejectReady: (error: Error) => void): void {
    if (this.#state === 'failed' || this.#state === 'closed') return
    this.#state = 'failed'
    rejectReady(error)
    for (const { reject } of this.#pending.values()) reject(unavailable())
    this.#pending.clear()
    this.#waiting = []
    this.#syncTimer?.[Symbol.dispose]()
    this.#busy?.[Symbol.dispose]()
    this.#drained?.()
    this.#options.onFatal(error)
  }
}

export function unavailable(): StoreError {
  return new StoreError('unavailable', 'the store is closed or has failed')
}

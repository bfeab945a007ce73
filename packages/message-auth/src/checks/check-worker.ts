import { Worker } from 'node:worker_threads'
import type { Clock, Deadline, DnsAnswer, DnsType, Log, Resolver, Timer } from '@pennypost/model'
import type {
  FromWorker,
  Refusal,
  SignatureAnswer,
  SignatureRequest,
  SpfAnswer,
  SpfRequest,
  ToWorker,
} from './messages.ts'

/**
 * The main thread's side of the check worker: starts it at the first request and again at the first one after it died,
 * sends messages chunk by chunk, answers its DNS queries, and holds the clock while a request runs.
 *
 * Who calls it: the checker. The worker never keeps the process alive.
 */

export interface CheckWorkerOptions {
  /** Source of the worker; the bundle has it elsewhere. */
  url: URL
  resolver: Resolver
  clock: Clock
  deadline: Deadline
  log: Log
  /** After so long what DNS has not said of keys has failed: sooner than the check ends, so that the rest is still known. */
  keysMs: number
}

interface Pending {
  /** Of its DNS queries. */
  signal: AbortSignal
  /** Of those whose answers are the client's: reverse DNS, and the names that it led to. */
  ofClient?: { signal: AbortSignal; names: Set<string> }
  settle: PromiseWithResolvers<unknown>
  /** Resolved when the worker has taken a chunk. */
  taken: () => void
}

const chunkSize = 64 * 1024
/** Most letters fit into it, and a larger buffer than they need makes the garbage collector work. */
const smallChunk = 8 * 1024
/** A worker that needs more than this for what it was given is stopped; its requests fail. */
const maxHeapMb = 256
/** A worker that does not even confirm a cancelled request within this time hangs on something, and is stopped. */
const patienceMs = 5_000
/** What the client's own name servers get: without an answer `ptr` does not match (RFC 7208 §5.5), and the rest is still known. */
const ofClientMs = 5_000

export class CheckWorker implements AsyncDisposable {
  readonly #options: CheckWorkerOptions
  readonly #pending = new Map<number, Pending>()
  #worker: Worker | undefined
  /** Runs out unless the worker says something. */
  #patience: Timer | undefined
  #isClosed = false
  #requests = 0

  constructor(options: CheckWorkerOptions) {
    this.#options = options
  }

  /** Rejects with the signal's reason, or when the worker fails. */
  spf(request: SpfRequest, signal: AbortSignal): Promise<SpfAnswer> {
    return this.#run(request, signal) as Promise<SpfAnswer>
  }

  /** Verifies the message in `octets`: header section, empty line, body. Rejects also with what `octets` rejects with. */
  signatures(octets: AsyncIterable<Buffer>, signal: AbortSignal): Promise<SignatureAnswer | Refusal> {
    const request: SignatureRequest = { kind: 'signatures', now: this.#options.clock.now() }
    return this.#run(request, signal, octets) as Promise<SignatureAnswer | Refusal>
  }

  /** Requests under way reject, and so do later ones. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#patience?.[Symbol.dispose]()
    await this.#worker?.terminate()
  }

  async #run(request: SpfRequest | SignatureRequest, signal: AbortSignal, octets?: AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    if (this.#isClosed) throw new Error('the check worker is closed')
    this.#worker ??= this.#start()
    using _busy = this.#options.clock.busy(`check ${request.kind}`)
    const id = ++this.#requests
    const settle = Promise.withResolvers<unknown>()
    const { deadline, keysMs } = this.#options
    const pending: Pending = { signal: octets ? deadline.signal(keysMs, signal) : signal, settle, taken() {} }
    const abort = (): void => this.#cancel(id, signal.reason)
    this.#pending.set(id, pending)
    signal.addEventListener('abort', abort, { once: true })
    try {
      this.#send({ id, ...request })
      if (octets) this.#feed(id, pending, octets).catch((error: unknown) => this.#cancel(id, error))
      return await settle.promise
    } finally {
      this.#pending.delete(id)
      pending.taken()
      signal.removeEventListener('abort', abort)
    }
  }

  /** Small messages in one chunk, others in chunks of which one is under way. */
  async #feed(id: number, pending: Pending, octets: AsyncIterable<Buffer>): Promise<void> {
    let chunk = new Uint8Array(smallChunk)
    let length = 0
    for await (const piece of octets) {
      for (let from = 0; from < piece.length; ) {
        if (length === chunkSize) {
          const { promise, resolve } = Promise.withResolvers<void>()
          pending.taken = resolve
          this.#sendChunk(id, chunk, length, false)
          await promise
          if (!this.#pending.has(id)) return
          chunk = wholeChunk()
          length = 0
        }
        const part = piece.subarray(from, from + chunkSize - length)
        if (length + part.length > chunk.length) chunk = wholeChunk(chunk)
        chunk.set(part, length)
        length += part.length
        from += part.length
      }
    }
    this.#sendChunk(id, chunk, length, true)
  }

  #sendChunk(id: number, chunk: Uint8Array<ArrayBuffer>, length: number, last: boolean): void {
    // Small messages are copied at their size rather than transferred at the chunk's.
    const octets = length < chunk.length / 2 ? chunk.slice(0, length) : chunk.subarray(0, length)
    this.#send({ id, kind: 'chunk', octets, last }, [octets.buffer])
  }

  #send(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker?.postMessage(message, transfer)
  }

  #cancel(id: number, reason: unknown): void {
    this.#pending.get(id)?.settle.reject(reason)
    // One that has ended confirms nothing, and the next one is not to be stopped for it.
    if (!this.#worker) return
    this.#send({ id, kind: 'cancel' })
    this.#patience ??= this.#options.deadline.after(patienceMs, () => {
      this.#options.log.error({ patienceMs }, 'the check worker hangs and is started anew')
      void this.#worker?.terminate()
    })
  }

  #start(): Worker {
    const worker = new Worker(this.#options.url, { resourceLimits: { maxOldGenerationSizeMb: maxHeapMb } })
    worker.unref()
    worker.on('message', (message: FromWorker) => this.#receive(message))
    worker.on('error', (error) => this.#options.log.error({ err: error }, 'the check worker failed'))
    worker.on('exit', () => {
      this.#worker = undefined
      this.#heard()
      for (const { settle } of this.#pending.values()) settle.reject(new Error('the check worker ended'))
    })
    return worker
  }

  #heard(): void {
    this.#patience?.[Symbol.dispose]()
    this.#patience = undefined
  }

  #receive(message: FromWorker): void {
    this.#heard()
    const pending = this.#pending.get(message.id)
    if (!pending) return
    switch (message.kind) {
      case 'resolve':
        void this.#resolve(pending, message)
        return
      case 'taken':
        pending.taken()
        return
      case 'done':
        pending.settle.resolve(message.answer)
        return
      case 'failed':
        pending.settle.reject(new Error(message.reason))
    }
  }

  async #resolve(pending: Pending, { id, query, name, type }: FromWorker & { kind: 'resolve' }): Promise<void> {
    if (type === 'PTR') {
      pending.ofClient ??= {
        signal: this.#options.deadline.signal(ofClientMs, pending.signal),
        names: new Set([name]),
      }
    }
    const { ofClient } = pending
    let answer: DnsAnswer<DnsType>
    try {
      const { signal } = ofClient?.names.has(name) ? ofClient : pending
      answer = await this.#options.resolver.query(name, type, signal)
    } catch (error) {
      answer = { status: 'failed', reason: String(error) }
    }
    if (type === 'PTR' && answer.status === 'found') {
      for (const found of answer.records) ofClient?.names.add(found as string)
    }
    if (this.#pending.has(id)) this.#send({ id, kind: 'resolved', query, answer })
  }
}

/** Room for a whole chunk, which begins as the smaller one did. */
function wholeChunk(begun?: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(chunkSize)
  if (begun) chunk.set(begun)
  return chunk
}

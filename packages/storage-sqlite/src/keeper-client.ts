/** The main thread's side of the keeper thread. Called by the store for checkpoints, `check()` and backups. */
import { Worker } from 'node:worker_threads'
import type { StoreFault } from '@pennypost/model'
import type { FromKeeper, KeeperData, ToKeeper } from './keeper/protocol.ts'
import { unavailable } from './writer-client.ts'

export interface BackupOptions {
  /** The copy is read to its end, as `check` reads the store. */
  verify?: boolean
  /** Content files that are copied. */
  onProgress?: (done: number, total: number) => void
}

interface Request {
  onProgress: (done: number, total: number) => void
  faults: StoreFault[]
  resolve: (faults: StoreFault[]) => void
  reject: (error: Error) => void
}

/** The thread is started when it is first needed, and gone when `close` resolves. */
export class KeeperClient {
  readonly #url: URL
  readonly #data: KeeperData
  readonly #onFatal: (error: Error) => void
  #worker: Worker | undefined
  #exited: Promise<void> = Promise.resolve()
  readonly #requests = new Map<number, Request>()
  #nextId = 1
  #checkpointing = false
  #closed = false

  constructor(url: URL, data: KeeperData, onFatal: (error: Error) => void) {
    this.#url = url
    this.#data = data
    this.#onFatal = onFatal
  }

  /** Copies the write-ahead log into the database, as far as readers let it. Does nothing while one runs. */
  checkpoint(): void {
    if (this.#checkpointing || this.#closed) return
    this.#checkpointing = true
    this.#post({ kind: 'checkpoint' })
  }

  /** `ownDirectory`: the first directory of contents that this process fills. */
  check(ownDirectory: number): Promise<StoreFault[]> {
    return this.#request((id) => ({ kind: 'check', id, ownDirectory }))
  }

  /** Gives what a check of the copy finds, when it is to be verified. */
  backup(target: string, { verify = false, onProgress = () => {} }: BackupOptions = {}): Promise<StoreFault[]> {
    return this.#request((id) => ({ kind: 'backup', id, target, verify }), onProgress)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#worker?.postMessage({ kind: 'close' } satisfies ToKeeper)
    await this.#exited
  }

  #request(message: (id: number) => ToKeeper, onProgress: Request['onProgress'] = () => {}): Promise<StoreFault[]> {
    if (this.#closed) return Promise.reject(unavailable())
    const { promise, resolve, reject } = Promise.withResolvers<StoreFault[]>()
    const id = this.#nextId++
    this.#requests.set(id, { onProgress, faults: [], resolve, reject })
    this.#post(message(id))
    return promise
  }

  #post(message: ToKeeper): void {
    this.#worker ??= this.#start()
    this.#worker.postMessage(message)
  }

  #start(): Worker {
    const worker = new Worker(this.#url, { workerData: this.#data, name: 'pennypost-keeper' })
    worker.on('message', (message: FromKeeper) => this.#receive(message))
    worker.on('error', (error) => this.#onFatal(error))
    this.#exited = new Promise((resolve) => {
      worker.on('exit', () => {
        for (const { reject } of this.#requests.values()) reject(unavailable())
        this.#requests.clear()
        resolve()
      })
    })
    return worker
  }

  #receive(message: FromKeeper): void {
    if (message.kind === 'checkpointed') {
      this.#checkpointing = false
      return
    }
    if (message.kind === 'fatal') {
      this.#onFatal(new Error(`checkpoint failed: ${message.message}`))
      return
    }
    const request = this.#requests.get(message.id)
    if (!request) return
    if (message.kind === 'progress') {
      request.onProgress(message.done, message.total)
      return
    }
    if (message.kind === 'faults') {
      for (const fault of message.faults) request.faults.push(fault)
      return
    }
    this.#requests.delete(message.id)
    if (message.kind === 'done') request.resolve(request.faults)
    else request.reject(Object.assign(new Error(message.message), message.code === '' ? {} : { code: message.code }))
  }
}

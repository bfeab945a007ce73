import type { Readable } from 'node:stream'
import type { Connection } from '@pennypost/transport'
import { type Compressed, compress } from '../wire/compressed.ts'
import { Framer } from '../wire/framer.ts'
import { Output } from '../wire/output.ts'
import type { SessionService } from './session-service.ts'

/** What the channel asks of the conversation whose octets it carries. */
export interface ChannelHost {
  /** What comes is read at once: no command runs, or the one that runs waits for a line. */
  readonly isReading: boolean
  /** Of what the client may say in one line now. */
  readonly lineLimit: number
  /** Something has come, or the client has ended its side. */
  stir(): void
  /** May be called more than once. */
  closed(): void
}

/**
 * The octets of one connection, both ways, whatever carries them: the socket, TLS, or DEFLATE over either. What comes
 * stands in `framer`, what is said goes to `out`.
 *
 * Never broken: while what has come is not read, at most `inputBacklog` octets are read ahead; each completion that
 * changes what carries the octets is the last thing said in the old way.
 */
export class Channel {
  readonly framer: Framer
  readonly out: Output
  /** The client says nothing more. */
  hasEnded = false
  readonly #connection: Connection
  readonly #service: SessionService
  readonly #host: ChannelHost
  #compressed: Compressed | undefined
  #paused = false

  constructor(connection: Connection, service: SessionService, host: ChannelHost) {
    this.#connection = connection
    this.#service = service
    this.#host = host
    this.framer = new Framer(() => host.lineLimit, service.limits.swallowed)
    this.out = new Output(connection.stream, service.deadline, service.limits.outputStallMs)
  }

  /** Begins to read. */
  open(): void {
    this.#connection.stream.on('close', this.#onClose)
    this.#listen()
  }

  /** What was read has made room: more may come. */
  flow(): void {
    if (this.#paused && !this.#isFull) {
      this.#paused = false
      this.#input.resume()
    }
    this.#compressed?.flow()
  }

  /** STARTTLS: what came in clear is forgotten (RFC 9051 §6.2.1). Rejects when there is no TLS: the connection is gone. */
  async startTls(completion: string): Promise<void> {
    this.out.flush()
    this.#unlisten()
    this.framer.clear()
    await this.#connection.startTls(completion)
    this.out.useStream(this.#connection.stream)
    this.open()
  }

  /** COMPRESS: both ways behind the completion (RFC 4978 §3). */
  compress(completion: string): void {
    this.out.text(completion)
    this.out.flush()
    this.#unlisten()
    // What the client sent behind the command without waiting is compressed already, if it is anything.
    const early = this.framer.takeAll()
    this.#compressed = compress(this.#connection.stream, early, () => this.#host.isReading)
    this.out.useStream(this.#compressed.output)
    this.#listen()
  }

  /** UNAUTHENTICATE: what stands behind the command came in clear (RFC 8437 §4.1). Undefined where nothing is compressed. */
  decompress(completion: string): Promise<void> | undefined {
    if (this.#compressed) return this.#decompress(this.#compressed, completion)
    this.out.text(completion)
    return undefined
  }

  async #decompress(compressed: Compressed, completion: string): Promise<void> {
    const { stream } = this.#connection
    const { deadline, limits } = this.#service
    this.out.flush()
    this.#unlisten()
    const stall = deadline.after(limits.outputStallMs, () => stream.destroy())
    const clear = await compressed.end(completion).finally(() => stall[Symbol.dispose]())
    this.#compressed = undefined
    this.out.useStream(stream)
    this.hasEnded = stream.readableEnded
    this.#paused = false
    if (clear.length > 0) this.framer.push(clear)
    this.#listen()
    stream.resume()
  }

  /** Ends the connection when all that was said is on its way. */
  end(): void {
    const connection = this.#connection
    const output = this.#compressed?.output
    if (!output || output.destroyed) {
      connection.end()
      return
    }
    // What is still compressed here the connection knows nothing of, nor of what the client goes on to say.
    this.#input.pause()
    const { deadline, limits } = this.#service
    const stalled = deadline.after(limits.outputStallMs, () => connection.destroy())
    connection.stream.once('close', () => stalled[Symbol.dispose]())
    output.end().once('end', () => {
      stalled[Symbol.dispose]()
      connection.end()
    })
  }

  get #input(): Readable {
    return this.#compressed?.input ?? this.#connection.stream
  }

  #listen(): void {
    this.#input.on('data', this.#onData)
    this.#input.on('end', this.#onEnd)
  }

  #unlisten(): void {
    this.#input.removeListener('data', this.#onData)
    this.#input.removeListener('end', this.#onEnd)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.framer.push(chunk)
    this.#host.stir()
    if (this.#isFull) {
      this.#paused = true
      this.#input.pause()
    }
  }

  get #isFull(): boolean {
    return !this.#host.isReading && this.framer.size > this.#service.limits.inputBacklog
  }

  readonly #onEnd = (): void => {
    this.hasEnded = true
    this.#host.stir()
  }

  readonly #onClose = (): void => this.#host.closed()
}

import type { Duplex } from 'node:stream'
import { type Deadline, freeOctets } from '@pennypost/model'
import { drained } from '@pennypost/transport'

/**
 * Everything that is said to the client. Responses are collected and leave in pages: at the end of what a chunk of
 * commands brought, or when a page is full. Long answers wait at `ready` while the client does not read.
 *
 * Never broken: nothing is written in between what a caller has begun and not flushed; a client that takes nothing for
 * `stallMs` loses its connection, so that its answer holds no memory for ever.
 */
export class Output {
  #stream: Duplex
  #text = ''
  #pieces: Buffer[] = []
  #size = 0
  /** What can be freed once the pieces have left. */
  #spent: Buffer[] = []
  readonly #deadline: Deadline
  readonly #stallMs: number

  constructor(stream: Duplex, deadline: Deadline, stallMs: number) {
    this.#stream = stream
    this.#deadline = deadline
    this.#stallMs = stallMs
  }

  /** After TLS has begun: what follows goes here. */
  useStream(stream: Duplex): void {
    this.#stream = stream
  }

  /** Adds text as UTF-8, without a line end. */
  text(text: string): void {
    this.#text += text
    if (this.#text.length > pageSize / 2) this.#pour()
  }

  /** Adds octets as they are. They are not copied and must not change. */
  octets(octets: Buffer): void {
    if (octets.length === 0) return
    this.#pour()
    this.#pieces.push(octets)
    this.#size += octets.length
  }

  /** Nobody reads these octets once what was added has left: their memory is given back then. */
  spend(octets: Buffer): void {
    this.#spent.push(octets)
  }

  /** Octets that the client has not taken yet, ours and the stream's. */
  get backlog(): number {
    return this.#text.length + this.#size + this.#stream.writableLength
  }

  /** Writes out what was collected. */
  flush(): void {
    this.#pour()
    const pieces = this.#pieces
    if (pieces.length === 0) return
    this.#pieces = []
    const size = this.#size
    this.#size = 0
    const spent = this.#spent
    if (spent.length > 0) this.#spent = []
    if (this.#stream.destroyed) {
      spent.forEach(freeOctets)
      return
    }
    if (pieces.length === 1) {
      this.#stream.write(pieces[0], spent.length === 0 ? undefined : () => spent.forEach(freeOctets))
      return
    }
    const joined = Buffer.concat(pieces, size)
    spent.forEach(freeOctets)
    this.#stream.write(joined, () => freeOctets(joined))
  }

  /** Nobody reads any more: a long answer ends where it is. */
  get gone(): boolean {
    return this.#stream.destroyed
  }

  /** For long answers: it is time to let `drained` send what there is. */
  get pageFull(): boolean {
    return this.#text.length + this.#size >= pageSize
  }

  /** For long answers in pieces: undefined while there is room, else resolves when more may come. */
  ready(): Promise<void> | undefined {
    return this.pageFull ? this.drained() : undefined
  }

  /** Between commands: undefined while the client takes what it is told, else resolves when it has, or is gone. */
  caughtUp(): Promise<void> | undefined {
    return this.backlog >= pageSize ? this.drained() : undefined
  }

  /** Flushes; undefined when the client keeps up, else resolves when it has caught up or is gone. */
  drained(): Promise<void> | undefined {
    this.flush()
    return drained(this.#stream, this.#deadline, this.#stallMs)
  }

  #pour(): void {
    if (this.#text === '') return
    const octets = Buffer.from(this.#text, 'utf8')
    this.#pieces.push(octets)
    this.#size += octets.length
    this.#text = ''
  }
}

const pageSize = 64 * 1024

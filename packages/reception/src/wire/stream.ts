import type { Turns } from '@pennypost/transport'
import { SMTPStream } from 'smtp-server/lib/smtp-stream.js'

/**
 * The parser of one connection: octets → command lines, or content for a sink. Takes the place of smtp-server's own
 * (see README: "What we override"), whose data mode costs a turn of the event loop for each stuffed dot and knows no
 * BDAT. One unit is worked at a time: the next line is read when the handler of the last one has called back, and
 * octets wait for the reader, which is all the back-pressure there is.
 */

/** Takes octets that are not commands: the content of DATA, or one chunk of BDAT. */
export interface OctetReader {
  /** Gives how many octets of `chunk` were its own when they end here, or -1 when it took all and wants more. */
  push(chunk: Buffer): number
  /** Settles when more may come; undefined when at once. Asked after each `push`. */
  ready(): Promise<void> | undefined
  /** All of it came. `next` lets the parser go on with what follows. */
  end(next: () => void): void
}

const LF = 10
const CR = 13
const nothing = Buffer.alloc(0)

export class WireStream extends SMTPStream {
  /** A line longer than the limit has ended; it was not kept. Set by the connection. */
  ontoolong: (next: () => void) => void = (next) => next()
  /** A line ended with a bare LF, where that is not taken: nothing behind it is read. Set by the connection. */
  onbare: () => void = () => {}
  /** All that came is worked off, or others get their turn: a moment to send what was said. Set by the connection. */
  onpause: () => void = () => {}
  readonly #maxLineLength: number
  readonly #needsCr: boolean
  readonly #turns: Turns
  #pending: Buffer = nothing
  /** Octets that `_write` was given so far, and those of the write that is being worked. */
  #written = 0
  #current = 0
  #skipping = false
  #reader: OctetReader | undefined

  /** `needsCr`: a bare LF ends no command. Others have their `turns` between commands. */
  constructor(maxLineLength: number, needsCr: boolean, turns: Turns) {
    super({ maxCommandLength: maxLineLength })
    this.#maxLineLength = maxLineLength
    this.#needsCr = needsCr
    this.#turns = turns
  }

  /** What follows the current command goes to `reader`. Called by a handler before it calls back. */
  receive(reader: OctetReader): void {
    this.#reader = reader
  }

  /** Octets that have come, worked off or not. */
  get arrived(): number {
    return this.#written - this.#current + this.writableLength
  }

  /** Octets that have been handed out, as lines or to readers. */
  get taken(): number {
    return this.#written - this.#pending.length
  }

  override _write(chunk: Buffer, _encoding: string, next: (error?: Error | null) => void): void {
    this.#written += chunk.length
    this.#current = chunk.length
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    this.#pump(() => {
      this.#current = 0
      this.onpause()
      next()
    })
  }

  /** Works off what is pending, then asks for more by `next`. */
  #pump(next: () => void): void {
    let began = 0
    let running = false
    let again = false
    const proceed = (): void => {
      const others = this.#turns.over(began)
      if (others) {
        this.onpause()
        void others.then(step)
      } else step()
    }
    const step = (): void => {
      if (running) {
        again = true
        return
      }
      running = true
      do {
        again = false
        began = this.#turns.now()
        if (this.isClosed) {
          this.#pending = nothing
          next()
          break
        }
        if (this.#reader) {
          if (!this.#feed(this.#reader, proceed)) {
            next()
            break
          }
        } else if (!this.#line(proceed)) {
          next()
          break
        }
      } while (again)
      running = false
    }
    step()
  }

  /** Hands out one command line; false when there is none yet. */
  #line(proceed: () => void): boolean {
    const pending = this.#pending
    const end = pending.indexOf(LF)
    if (end < 0) {
      if (pending.length > this.#maxLineLength) this.#skipping = true
      if (this.#skipping) this.#pending = nothing
      return false
    }
    this.#pending = end + 1 === pending.length ? nothing : pending.subarray(end + 1)
    const isBare = end === 0 || pending[end - 1] !== CR
    const line = pending.subarray(0, isBare ? end : end - 1)
    if (this.#skipping || line.length > this.#maxLineLength) {
      this.#skipping = false
      this.ontoolong(proceed)
    } else if (isBare && this.#needsCr) this.onbare()
    else this.oncommand(line, proceed)
    return true
  }

  /** Feeds the reader with what is pending; false when more octets have to come first. */
  #feed(reader: OctetReader, proceed: () => void): boolean {
    const pending = this.#pending
    if (pending.length === 0) return false
    const used = reader.push(pending)
    this.#pending = used < 0 || used === pending.length ? nothing : pending.subarray(used)
    const taken = (): void => {
      if (used < 0) proceed()
      else {
        this.#reader = undefined
        reader.end(proceed)
      }
    }
    const wait = reader.ready()
    if (wait) void wait.then(taken)
    else taken()
    return true
  }
}

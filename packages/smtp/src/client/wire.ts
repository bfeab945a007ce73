import type { Duplex } from 'node:stream'
import type { Deadline, Timer } from '@pennypost/model'
import type { Reply } from '../reply.ts'
import { ReplyParser } from '../reply-parser.ts'
import { type Failure, failure, type Outcome, type Phase, replyFailure } from './failure.ts'
import type { Transcript } from './transcript.ts'

/**
 * One connection as a row of expected replies. Whoever sends a command says what takes its reply and how long that may
 * last; replies go to their takers in order, synchronously, with no promise between (pipelined groups cost one event).
 * What must never break: after the first failure nobody is called but `onDown`, once; a 421 ends the connection whatever
 * it answers, and is that failure (RFC 5321 §3.8); a reply that nobody expects is a broken dialogue.
 */
interface Expectation {
  phase: Phase
  timeoutMs: number
  take: (reply: Reply) => void
  /** Nothing may be read behind this reply (STARTTLS). */
  last: boolean
}

export interface WireOptions {
  deadline: Deadline
  transcript: Transcript | null
}

export class Wire {
  readonly transcript: Transcript | null
  readonly #options: WireOptions
  readonly #expected: Expectation[] = []
  #stream: Duplex
  #parser: ReplyParser
  #timer: Timer | null = null
  #timerMs = 0
  #phase: Phase = 'greeting'
  #answered = false
  #down: Failure | null = null
  #onDown: ((failure: Failure) => void) | null = null
  #onEarly: ((reply: Reply) => void) | null = null
  #onDrain: (() => void) | null = null

  constructor(stream: Duplex, options: WireOptions) {
    this.#options = options
    this.transcript = options.transcript
    this.#stream = stream
    this.#parser = new ReplyParser()
    this.#attach()
  }

  /** Why the connection cannot be used any more; null while it can. */
  get down(): Failure | null {
    return this.#down
  }

  /** Sets who learns of the end of the connection; it is called at once when it has ended. */
  onDown(listener: ((failure: Failure) => void) | null): void {
    this.#onDown = listener
    if (listener !== null && this.#down !== null) listener(this.#down)
  }

  expect(phase: Phase, timeoutMs: number, take: (reply: Reply) => void, last = false): void {
    this.#expected.push({ phase, timeoutMs, take, last })
    if (this.#expected.length === 1) this.#await(phase, timeoutMs)
  }

  /** Records a command line in the transcript. */
  record(phase: Phase, line: string): void {
    this.transcript?.sent(phase, line)
  }

  /** Writes octets or text as they are; false when the caller should wait for `drained`. */
  write(octets: Buffer | string, left?: () => void): boolean {
    return this.#down === null && this.#stream.write(octets as string, 'utf8', left)
  }

  /** Writes pieces as one, without joining large ones. `left`: called when nobody reads them any more. */
  writeAll(pieces: readonly Buffer[], octets: number, left?: () => void): boolean {
    if (pieces.length === 1) return this.write(pieces[0]!, left)
    if (octets <= joinedAtMost) return this.write(Buffer.concat(pieces, octets), left)
    this.#stream.cork()
    let room = true
    for (const piece of pieces) room = this.write(piece, piece === pieces.at(-1) ? left : undefined)
    this.#stream.uncork()
    return room
  }

  /** One command and its reply. `shown` replaces a line with a secret in the transcript. */
  ask(phase: Phase, timeoutMs: number, line: string | null, more: { shown?: string; last?: boolean } = {}) {
    return new Promise<Outcome<{ reply: Reply }>>((resolve) => {
      const settle = (outcome: Outcome<{ reply: Reply }>): void => {
        this.#onDown = null
        resolve(outcome)
      }
      if (line !== null && this.#down === null) {
        this.record(phase, more.shown ?? line)
        this.write(`${line}\r\n`)
      }
      if (this.#down === null) this.expect(phase, timeoutMs, (reply) => settle({ ok: true, reply }), more.last)
      this.onDown((failure) => settle({ ok: false, failure }))
    })
  }

  /** While content goes out, no reply is due: one that comes goes to `early`; null ends that. */
  sending(early: ((reply: Reply) => void) | null): void {
    this.#onEarly = early
    if (early !== null) this.#phase = 'content'
  }

  /** Resolves when the peer has taken what was written, or the connection is down. */
  drained(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#down !== null || !this.#stream.writableNeedDrain) {
        resolve()
        return
      }
      this.#arm(timeoutMs)
      this.#onDrain = () => {
        this.#onDrain = null
        // A chunk's reply may be due already, and it has its own time.
        const [next] = this.#expected
        if (next) this.#await(next.phase, next.timeoutMs)
        else this.#disarm()
        resolve()
      }
    })
  }

  /** Lets go of the stream for TLS; null, and down, when octets came behind the last reply: they are an attack. */
  detach(): Duplex | null {
    const stream = this.#stream
    if (stream.readableLength > 0) this.fail(failure('protocol', this.#phase, '4.7.0', 'octets behind the last reply'))
    if (this.#down !== null) return null
    this.#disarm()
    this.#unlisten()
    stream.pause()
    // Until TLS listens, an error must not be nobody's.
    stream.on('error', ignore)
    return stream
  }

  /** Goes on over the secured stream, with nothing remembered of the dialogue before (RFC 3207 §4.2). */
  attach(stream: Duplex): void {
    this.#stream = stream
    this.#parser = new ReplyParser()
    this.#attach()
  }

  /** Ends the connection; the first reason stands. */
  fail(reason: Failure): void {
    if (this.#down !== null) return
    this.#down = reason
    this.#disarm()
    this.#unlisten()
    this.#stream.on('error', ignore)
    this.#stream.destroy()
    this.#expected.length = 0
    this.#onDrain?.()
    const listener = this.#onDown
    this.#onDown = null
    listener?.(reason)
  }

  #attach(): void {
    this.#stream.on('data', this.#data)
    this.#stream.on('drain', this.#drain)
    this.#stream.on('error', this.#error)
    this.#stream.on('end', this.#end)
    this.#stream.on('close', this.#end)
  }

  #unlisten(): void {
    this.#stream.off('data', this.#data)
    this.#stream.off('drain', this.#drain)
    this.#stream.off('error', this.#error)
    this.#stream.off('end', this.#end)
    this.#stream.off('close', this.#end)
  }

  readonly #data = (chunk: Buffer): void => {
    this.#answered = false
    const rest = this.#parser.push(chunk, this.#take)
    if (this.#down !== null) return
    const next = this.#expected[0]
    if (typeof rest === 'string') this.fail(failure('protocol', this.#phase, '4.5.0', rest))
    else if (rest > 0) this.fail(failure('protocol', this.#phase, '4.7.0', 'octets behind the last reply'))
    // Only whole replies buy time: a peer that trickles octets does not keep us for ever.
    else if (!this.#answered) return
    else if (next !== undefined) this.#await(next.phase, next.timeoutMs)
    else if (this.#onDrain === null) this.#disarm()
  }

  readonly #take = (reply: Reply): boolean => {
    this.#answered = true
    const expectation = this.#expected.shift()
    if (expectation !== undefined) this.#phase = expectation.phase
    this.transcript?.received(this.#phase, reply)
    if (reply.code === 421) this.fail(replyFailure(this.#phase, reply))
    else if (expectation !== undefined) expectation.take(reply)
    else if (this.#onEarly !== null) this.#onEarly(reply)
    else this.fail(failure('protocol', this.#phase, '4.5.0', `reply ${reply.code} that answers nothing`, { reply }))
    if (this.#expected.length === 0 && this.#onEarly === null && !expectation?.last) this.#phase = 'idle'
    return this.#down === null && !expectation?.last
  }

  readonly #drain = (): void => this.#onDrain?.()

  readonly #error = (error: NodeJS.ErrnoException): void => {
    this.fail(failure('network', this.#phase, '4.4.2', error.message, { code: error.code }))
  }

  readonly #end = (): void => {
    this.fail(failure('network', this.#phase, '4.4.2', 'connection closed by the peer'))
  }

  #await(phase: Phase, timeoutMs: number): void {
    this.#phase = phase
    this.#arm(timeoutMs)
  }

  #arm(timeoutMs: number): void {
    if (this.#timer !== null && this.#timerMs === timeoutMs) {
      this.#timer.refresh()
      return
    }
    this.#disarm()
    this.#timerMs = timeoutMs
    this.#timer = this.#options.deadline.after(timeoutMs, () => {
      const status = this.#phase === 'greeting' ? '4.4.1' : '4.4.2'
      this.fail(failure('timeout', this.#phase, status, `no answer within ${timeoutMs} ms`))
    })
  }

  #disarm(): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = null
  }
}

/** Octets up to which pieces are copied into one buffer: one system call and one TLS record row beat the copy. */
const joinedAtMost = 65536

function ignore(): void {}

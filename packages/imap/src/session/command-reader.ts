import type { LiteralSink } from '../command.ts'
import type { ImapLimits } from '../limits.ts'
import { bad, ImapRefusal, no, refusalOf } from '../refusal.ts'
import type { Unit } from '../wire/cursor.ts'
import type { Frame, Framer, LiteralOffer } from '../wire/framer.ts'

/** What a line or a literal takes besides its octets. */
const partOctets = 32

/** What the reader asks of the conversation that it reads for. */
export interface ReaderHost {
  readonly limits: ImapLimits
  readonly loggedIn: boolean
  /** Where an announced literal goes; throws `ImapRefusal` when it must not come. */
  offer(unit: Unit, offer: LiteralOffer): LiteralSink | undefined | Promise<LiteralSink | undefined>
  /** Sends the continuation request that a synchronizing literal waits for. */
  goAhead(): void
  /** Runs a whole command; undefined when that was done at once. */
  command(unit: Unit): Promise<void> | undefined
  /** A command that is not run: too long, or with a literal that was refused. */
  refused(line: string, refusal: ImapRefusal): void
}

/**
 * Puts frames together to commands: whole lines and literals, each literal held in memory within its limits or given
 * to the command's own sink. A refused literal that comes all the same is read past, so that none of it is ever taken
 * for a command (RFC 7888 §4); one too long for that ends the connection.
 */
export class CommandReader {
  readonly #framer: Framer
  readonly #host: ReaderHost
  #unit: Unit = { lines: [], literals: [] }
  /** Octets that are held of the command. */
  #held = 0
  /** Octets of its refused literals, which are read past. */
  #swallowed = 0
  #refusal: ImapRefusal | undefined
  #offer: LiteralOffer | undefined
  #buffer: Buffer | undefined
  #sink: LiteralSink | undefined

  constructor(framer: Framer, host: ReaderHost) {
    this.#framer = framer
    this.#host = host
  }

  /** Takes the next frame. A promise means: no further one until it resolves; it never rejects. */
  take(frame: Frame): Promise<void> | undefined {
    switch (frame.kind) {
      case 'line':
        return this.#line(frame.text.toString('latin1'))
      case 'literal':
        return this.#literal(frame.text.toString('latin1'), frame.offer)
      case 'octets':
        return this.#octets(frame.octets, frame.left)
      case 'too-long': {
        const head = frame.head.toString('latin1')
        this.#keep(head)
        if (frame.endless) this.#refusal = tooMuch(bad('The line is too long', 'TOOBIG'))
        this.#refusal ??= bad('The line is too long', 'TOOBIG')
        return frame.offer ? this.#literal(head, frame.offer) : this.#line(head)
      }
    }
  }

  /**
   * Forgets a command that did not come whole, with all that was staged for it. The connection may close while a sink is
   * asked for, or ends: what that brings belongs to a unit that is not the current one any more.
   */
  abandon(): void {
    this.#sink?.discard()
    discardStreamed(this.#unit)
    this.#reset()
  }

  /** Counts each line, since as many may come as the client likes; of what is refused, the first alone is needed. */
  #keep(line: string): void {
    if (this.#refusal && this.#unit.lines.length > 0) return
    this.#unit.lines.push(line)
    this.#held += line.length + partOctets
    if (this.#held > this.#limit) this.#refusal ??= bad('The command is too long', 'TOOBIG')
  }

  get #limit(): number {
    const { limits, loggedIn } = this.#host
    return loggedIn ? limits.command : limits.lineBeforeLogin + limits.literalBeforeLogin
  }

  #line(text: string): Promise<void> | undefined {
    this.#keep(text)
    if (this.#refusal) {
      this.#end(this.#unit.lines[0] as string)
      return undefined
    }
    const unit = this.#unit
    this.#reset()
    return this.#host.command(unit)
  }

  #literal(text: string, offer: LiteralOffer): Promise<void> | undefined {
    this.#keep(text)
    this.#offer = offer
    if (this.#refusal) {
      this.#refuse(this.#refusal)
      return undefined
    }
    let sink: ReturnType<ReaderHost['offer']>
    try {
      sink = this.#host.offer(this.#unit, offer)
    } catch (error) {
      this.#refuse(error)
      return undefined
    }
    if (!(sink instanceof Promise)) return this.#accept(sink)
    const unit = this.#unit
    return sink.then(
      (sink) => (unit === this.#unit ? this.#accept(sink) : sink?.discard()),
      (error) => (unit === this.#unit ? this.#refuse(error) : undefined),
    )
  }

  #accept(sink: LiteralSink | undefined): Promise<void> | undefined {
    const offer = this.#offer as LiteralOffer
    if (!sink) {
      const { limits, loggedIn } = this.#host
      const limit = loggedIn ? limits.literal : limits.literalBeforeLogin
      this.#held += offer.size + partOctets
      if (offer.size > limit || this.#held > this.#limit) {
        const text = `A literal can have ${limit} octets here, a command ${this.#limit}`
        this.#refuse(bad(text, 'TOOBIG'))
        return undefined
      }
      this.#buffer = Buffer.allocUnsafe(offer.size)
    }
    this.#sink = sink
    if (offer.sync) this.#host.goAhead()
    this.#framer.take(offer.size)
    return offer.size === 0 ? this.#literalEnd() : undefined
  }

  #refuse(error: unknown): void {
    const offer = this.#offer as LiteralOffer
    const refusal = refusalOf(error) ?? no('UNAVAILABLE', 'This cannot be done now, try again later')
    this.#refusal = refusal
    // Whoever was not told to go on sends a new command next.
    if (offer.sync) {
      this.#end(this.#unit.lines[0] as string)
      return
    }
    this.#swallowed += offer.size
    if (this.#swallowed > this.#host.limits.swallowed) {
      this.#refusal = tooMuch(refusal)
      this.#end(this.#unit.lines[0] as string)
      return
    }
    this.#framer.take(offer.size)
  }

  #octets(octets: Buffer, left: number): Promise<void> | undefined {
    if (this.#refusal) return undefined
    let more: Promise<void> | undefined
    if (this.#sink) {
      try {
        more = this.#sink.write(octets)
      } catch (error) {
        this.#fail(error)
        return undefined
      }
    } else {
      const buffer = this.#buffer as Buffer
      octets.copy(buffer, buffer.length - left - octets.length)
    }
    if (!more) return left === 0 ? this.#literalEnd() : undefined
    const unit = this.#unit
    return more
      .then(() => (left === 0 && unit === this.#unit ? this.#literalEnd() : undefined))
      .catch((error) => this.#fail(error))
  }

  #literalEnd(): Promise<void> | undefined {
    const binary = (this.#offer as LiteralOffer).binary
    const sink = this.#sink
    this.#sink = undefined
    if (!sink) {
      this.#unit.literals.push({ octets: this.#buffer as Buffer, binary })
      this.#buffer = undefined
      return undefined
    }
    const unit = this.#unit
    return sink.finish().then(
      (streamed) => {
        if (unit === this.#unit) unit.literals.push({ octets: nothing, binary, streamed })
        else streamed.discard()
      },
      (error) => this.#fail(error),
    )
  }

  /** A sink could not take it: the rest of the literal is read past. */
  #fail(error: unknown): void {
    this.#sink?.discard()
    this.#sink = undefined
    this.#refusal = refusalOf(error) ?? no('UNAVAILABLE', 'This cannot be stored now, try again later')
  }

  #end(line: string): void {
    const refusal = this.#refusal as ImapRefusal
    this.abandon()
    this.#host.refused(line, refusal)
  }

  #reset(): void {
    this.#unit = { lines: [], literals: [] }
    this.#held = this.#swallowed = 0
    this.#refusal = undefined
    this.#offer = undefined
    this.#buffer = undefined
    this.#sink = undefined
  }
}

const nothing = Buffer.alloc(0)

/** The connection ends with it. */
function tooMuch({ kind, code, message }: ImapRefusal): ImapRefusal {
  return new ImapRefusal(kind, code, message, 'Too much to read past')
}

/** Discards what sinks made of a command's literals; what was used is past that. */
export function discardStreamed(unit: Unit): void {
  for (const { streamed } of unit.literals) streamed?.discard()
}

import { createHash, type Hash } from 'node:crypto'
import { createScanner, type ScannedMessage } from '@pennypost/message'
import type { ContentStage, StagedContent, Timer } from '@pennypost/model'
import { replies } from '@pennypost/smtp'
import type { Session } from './session.ts'
import { type ContentFacts, ContentFilter } from './wire/content-filter.ts'
import type { OctetReader } from './wire/stream.ts'

/**
 * The content of one transaction while it arrives: staged, scanned and hashed as it passes, never whole in memory. DATA
 * brings it in one piece, BDAT in chunks. What is too large is read to its end and thrown away, so that the client
 * gets its reply in place (RFC 1870 §6.1).
 */
export interface ReceivedContent {
  content: StagedContent
  scanned: ScannedMessage
  /** SHA-256 of the content, for the fingerprint of the acceptance. */
  hash: Buffer
  facts: ContentFacts
}

export class ContentIntake {
  readonly filter: ContentFilter
  tooLarge = false
  readonly #session: Session
  readonly #stage: ContentStage
  readonly #scanner = createScanner()
  readonly #hash: Hash = createHash('sha256')
  readonly #pace: Timer
  readonly #gone = (): void => void this.discard()
  #octets = 0
  #octetsSeen = 0
  #waiting: Promise<void> | undefined
  #failure: Error | undefined
  #done = false

  constructor(session: Session, dots: boolean) {
    const { options } = session
    this.#session = session
    this.#stage = options.store.mail.stage()
    this.filter = new ContentFilter((piece) => this.#take(piece), dots)
    this.#pace = options.deadline.after(options.limits.rateWindowMs, () => this.#checkPace())
    session.onClose(this.#gone)
  }

  /** Settles when more may come. */
  ready(): Promise<void> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting?.catch((error: Error) => {
      this.#failure = error
    })
  }

  /** Ends the content. Rejects when it could not be kept; then nothing is left of it. */
  async finish(): Promise<ReceivedContent> {
    this.#end()
    await this.ready()
    if (this.#failure) {
      await this.#stage.discard()
      throw this.#failure
    }
    const content = await this.#stage.finish()
    return { content, scanned: this.#scanner.finish(), hash: this.#hash.digest(), facts: this.filter.facts }
  }

  async discard(): Promise<void> {
    if (this.#done) return
    this.#end()
    await this.#stage.discard()
  }

  #end(): void {
    this.#done = true
    this.#pace[Symbol.dispose]()
    this.#session.offClose(this.#gone)
  }

  #take(piece: Buffer): void {
    this.#octets += piece.length
    if (this.#octets > this.#session.options.limits.messageSize) this.tooLarge = true
    if (this.tooLarge || this.#failure) return
    this.#scanner.push(piece)
    this.#hash.update(piece)
    const wait = this.#stage.write(piece)
    if (wait) this.#waiting = this.#waiting ? Promise.all([this.#waiting, wait]).then(() => {}) : wait
  }

  /** A client that sends an octet now and then holds a place forever, so content must come with a least rate. */
  #checkPace(): void {
    const { limits } = this.#session.options
    if (this.#done) return
    if (this.#octets - this.#octetsSeen < (limits.minimumRate * limits.rateWindowMs) / 1000) {
      this.#session.end({ ...replies.idleTooLong, lines: ['Content comes too slowly'] })
      return
    }
    this.#octetsSeen = this.#octets
    this.#pace.refresh()
  }
}

/** Reads what follows DATA, up to CRLF "." CRLF. */
export class DataReader implements OctetReader {
  readonly #intake: ContentIntake
  readonly #end: (next: () => void) => void

  constructor(intake: ContentIntake, end: (next: () => void) => void) {
    this.#intake = intake
    this.#end = end
  }

  push(chunk: Buffer): number {
    return this.#intake.filter.push(chunk)
  }

  ready(): Promise<void> | undefined {
    return this.#intake.ready()
  }

  end(next: () => void): void {
    this.#end(next)
  }
}

/** Reads one chunk of BDAT (RFC 3030 §2); without an intake it swallows what a refused BDAT sends all the same. */
export class ChunkReader implements OctetReader {
  #left: number
  readonly #intake: ContentIntake | undefined
  readonly #end: (next: () => void) => void

  constructor(octets: number, intake: ContentIntake | undefined, end: (next: () => void) => void) {
    this.#left = octets
    this.#intake = intake
    this.#end = end
  }

  push(chunk: Buffer): number {
    const mine = Math.min(this.#left, chunk.length)
    this.#left -= mine
    this.#intake?.filter.push(mine === chunk.length ? chunk : chunk.subarray(0, mine))
    return this.#left === 0 ? mine : -1
  }

  ready(): Promise<void> | undefined {
    return this.#intake?.ready()
  }

  end(next: () => void): void {
    this.#end(next)
  }
}

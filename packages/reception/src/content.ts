import { createHash, type Hash } from 'node:crypto'
import { createScanner, type ScannedMessage } from '@pennypost/message'
import type { Clock, ContentStage, FlowFact, StagedContent } from '@pennypost/model'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'
import { type ContentFacts, ContentFilter } from './wire/content-filter.ts'

/**
 * The content of one transaction while it arrives: staged, scanned and hashed as it passes, never whole in memory. DATA
 * brings it in one piece, BDAT in chunks. What is too large is read to its end and thrown away, so that the client
 * gets its reply in place (RFC 1870 §6.1).
 *
 * What must never break: what was staged is either given out by `finish`, or gone.
 * Who calls it: DATA and BDAT begin it and read into it; the conclusion of the transaction finishes it.
 */
export interface ReceivedContent {
  content: StagedContent
  scanned: ScannedMessage
  /** SHA-256 of the content, for the fingerprint of the acceptance; more may be put in. */
  hash: Hash
  facts: ContentFacts
  /** What was noticed and is no reason to refuse it. */
  findings: FlowFact[]
}

export class ContentIntake {
  readonly filter: ContentFilter
  tooLarge = false
  readonly #session: Session
  readonly #stage: ContentStage
  readonly #scanner = createScanner()
  readonly #hash = createHash('sha256')
  #octets = 0
  /** Passed by the filter, not yet handed to the stage. */
  readonly #pieces: Buffer[] = []
  /** Writes that are under way. */
  #writing: Promise<void> | undefined
  #failure: Error | undefined
  #done: 'finished' | 'discarded' | undefined

  /** @throws what the store throws when it can stage nothing. */
  constructor(session: Session, { room }: Pick<Transaction, 'room'>, dots: boolean) {
    this.#session = session
    this.#stage = session.options.store.mail.stage(room)
    this.filter = new ContentFilter((piece) => this.#take(piece), dots)
  }

  get clock(): Pick<Clock, 'elapsed'> {
    return this.#session.options.clock
  }

  /** Neither ended nor thrown away. */
  get isComing(): boolean {
    return this.#done === undefined
  }

  /** Why the content cannot be kept any more, though it has not ended. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Hands on what has come, one piece after the other; settles when more may come. Never rejects. */
  ready(): Promise<void> | undefined {
    const pieces = this.#pieces
    for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
      const wait = this.#write(piece)
      if (wait) {
        this.#writing = this.#writeRest(wait)
        return this.#writing
      }
    }
    return undefined
  }

  async #writeRest(wait: Promise<void>): Promise<void> {
    try {
      await wait
      for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) await this.#write(piece)
    } catch (error) {
      this.#failure = error as Error
    }
  }

  #write(piece: Buffer): Promise<void> | undefined {
    return this.#failure || this.#done === 'discarded' ? undefined : this.#stage.write(piece)
  }

  /** Ends the content. Rejects when it could not be kept; then nothing is left of it. */
  async finish(): Promise<ReceivedContent> {
    this.#done = 'finished'
    try {
      await this.ready()
      if (this.#failure) throw this.#failure
      const content = await this.#stage.finish()
      return { content, scanned: this.#scanner.finish(), hash: this.#hash, facts: this.filter.facts, findings: [] }
    } catch (error) {
      await this.#stage.discard()
      throw error
    }
  }

  /** Lets go of what was staged, unless `finish` has begun to give it out. */
  discard(): void {
    if (this.#done) return
    this.#done = 'discarded'
    this.#pieces.length = 0
    // A write that is under way ends first: calls to a stage never overlap.
    const gone = Promise.resolve(this.#writing).then(() => this.#stage.discard())
    this.#session.detach(gone, 'discarding content')
  }

  #take(piece: Buffer): void {
    this.#octets += piece.length
    if (this.#octets > this.#session.options.limits.messageSize) this.tooLarge = true
    if (this.tooLarge || this.#failure || this.#done) return
    this.#scanner.push(piece)
    this.#hash.update(piece)
    this.#pieces.push(piece)
  }
}

/** Reads octets of content into an intake, and knows how many came. */
export class ContentReader {
  /** The client waits for our disk. */
  held = false
  readonly #intake: ContentIntake | undefined
  readonly #take: (chunk: Buffer) => number
  #octets = 0
  #heldMs = 0

  /** `take`: as `OctetReader.push`. */
  constructor(intake: ContentIntake | undefined, take: (chunk: Buffer) => number) {
    this.#intake = intake
    this.#take = take
  }

  push(chunk: Buffer): number {
    this.#octets += chunk.length
    return this.#take(chunk)
  }

  ready(): Promise<void> | undefined {
    const wait = this.#intake?.ready()
    if (!this.#intake || !wait) return undefined
    const { clock } = this.#intake
    const from = clock.elapsed()
    this.held = true
    return wait.finally(() => {
      this.held = false
      this.#heldMs += clock.elapsed() - from
    })
  }

  /** Whether less than `rate` octets a second came in the last `ms`, of which our disk's time is none of the client's. */
  isTooSlow(ms: number, rate: number): boolean {
    const isTooSlow = this.#octets * 1000 < rate * (ms - this.#heldMs)
    this.#octets = 0
    this.#heldMs = 0
    return isTooSlow
  }
}

/** Reads what follows DATA, up to CRLF "." CRLF. */
export function dataReader(intake: ContentIntake): ContentReader {
  return new ContentReader(intake, (chunk) => intake.filter.push(chunk))
}

/** Reads one chunk of BDAT (RFC 3030 §2); without an intake it swallows what a refused BDAT sends all the same. */
export function chunkReader(octets: number, intake: ContentIntake | undefined): ContentReader {
  let left = octets
  return new ContentReader(intake, (chunk) => {
    const mine = Math.min(left, chunk.length)
    left -= mine
    intake?.filter.push(mine === chunk.length ? chunk : chunk.subarray(0, mine))
    return left === 0 ? mine : -1
  })
}

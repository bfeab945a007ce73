import { describeReply, isPositive, type Reply } from '../reply.ts'
import { collectContent, eagerOctets, sendContent, sendEagerly } from './content.ts'
import { composeEnvelope, type Envelope } from './envelope.ts'
import { type Failure, failure, type Phase, replyFailure } from './failure.ts'
import type { RecipientOutcome, TransactionRequest, TransactionResult } from './request.ts'
import type { Session } from './session.ts'
import type { Wire } from './wire.ts'

/**
 * One mail transaction over an open connection.
 *
 * Theory of operation. The envelope is a row of commands with a taker for each reply. With PIPELINING the whole row goes
 * out in one write, DATA included (RFC 2920 §3.1); without, each reply sends the next. When the row's last reply is
 * there it is judged once: MAIL refused → all share its reply; no recipient left → no content, or a bare dot if the peer
 * said 354 nevertheless; else the content goes out, and its reply, in LMTP one for each recipient, decides. With
 * CHUNKING content needs no 354, and small content goes in the same write as its envelope (RFC 3030 §2).
 *
 * What must never break: each recipient gets exactly one outcome, `delivered` only by a 2yz after the whole content; a
 * connection lost behind the end of content is deferred and uncertain, one lost before it only deferred (RFC 1047).
 */
interface Step {
  line: string
  phase: Phase
  timeoutMs: number
  take: (reply: Reply) => void
}

/** RFC 5321 §4.2.4: not recognized, not implemented, not in this sequence. */
const noCommand = new Set([500, 502, 503])

export class Transaction {
  readonly #wire: Wire
  readonly #session: Session
  readonly #request: TransactionRequest
  readonly #outcomes: (RecipientOutcome | undefined)[]
  /** Indexes of accepted recipients, in the order in which they were asked for. */
  readonly #accepted: number[] = []
  #mailReply: Reply | null = null
  /** Final replies taken; in LMTP the index into `#accepted`. */
  #finalReplies = 0
  #contentSent = false
  /** The result is given: a reply that is still due changes nothing of it. */
  #finished = false
  #done: (result: TransactionResult) => void = () => {}

  constructor(wire: Wire, session: Session, request: TransactionRequest) {
    this.#wire = wire
    this.#session = session
    this.#request = request
    this.#outcomes = new Array(request.recipients.length).fill(undefined)
  }

  get #chunking(): boolean {
    return this.#session.chunking && this.#request.byData !== true
  }

  /** Never rejects. */
  async run(): Promise<TransactionResult> {
    const { promise, resolve } = Promise.withResolvers<TransactionResult>()
    this.#done = resolve
    const envelope = composeEnvelope(this.#request, this.#session.envelopeContext())
    if ('kind' in envelope) {
      this.#settleRest(envelope)
      return promise
    }
    for (const [index, rcpt] of envelope.rcpts.entries()) if (typeof rcpt !== 'string') this.#settle(index, rcpt)
    if (!this.#outcomes.includes(undefined)) this.#finish()
    else {
      const eager = await this.#eagerContent()
      this.#wire.onDown((reason) => this.#lost(reason))
      if (this.#wire.down === null) this.#begin(envelope, eager)
    }
    return promise
  }

  /** Content that may ride with its envelope. */
  async #eagerContent(): Promise<Buffer | null> {
    const { body, size } = this.#request
    if (!this.#chunking || !this.#session.offers('PIPELINING')) return null
    if (Buffer.isBuffer(body)) return body.length <= eagerOctets ? body : null
    if (size === null || size > eagerOctets) return null
    try {
      return await collectContent(body, size)
    } catch (error) {
      const text = `content could not be read: ${error instanceof Error ? error.message : String(error)}`
      this.#wire.fail(failure('local', 'content', '4.3.0', text))
      return null
    }
  }

  #begin(envelope: Envelope, eager: Buffer | null): void {
    const row = this.#row(envelope)
    if (this.#session.offers('PIPELINING')) this.#sendAtOnce(row, eager)
    else this.#sendInTurn(row, 0)
  }

  #sendAtOnce(row: Step[], eager: Buffer | null): void {
    if (!this.#chunking) row.push(this.#dataStep())
    let commands = ''
    for (const [at, { line, phase, timeoutMs, take }] of row.entries()) {
      commands += `${line}\r\n`
      this.#wire.record(phase, line)
      this.#wire.expect(phase, timeoutMs, (reply) => {
        take(reply)
        if (at === row.length - 1 && this.#chunking && eager === null) this.#afterRow()
      })
    }
    if (eager === null) this.#wire.write(commands)
    else {
      this.#contentSent = true
      sendEagerly(this.#wire, commands, eager)
      this.#wire.expect('dot', this.#session.timeouts.dotMs, (reply) => this.#noneLeft() || this.#finalReply(reply))
    }
  }

  #row(envelope: Envelope): Step[] {
    const { timeouts } = this.#session
    const row: Step[] = []
    if (this.#session.needsReset) row.push({ line: 'RSET', phase: 'rset', timeoutMs: timeouts.rsetMs, take() {} })
    this.#session.needsReset = false
    const take = (reply: Reply): void => {
      this.#mailReply = reply
    }
    row.push({ line: envelope.mail, phase: 'mail', timeoutMs: timeouts.mailMs, take })
    for (const [index, line] of envelope.rcpts.entries()) {
      if (typeof line !== 'string') continue
      row.push({ line, phase: 'rcpt', timeoutMs: timeouts.rcptMs, take: (reply) => this.#rcptReply(index, reply) })
    }
    return row
  }

  #dataStep(): Step {
    const timeoutMs = this.#session.timeouts.dataMs
    return { line: 'DATA', phase: 'data', timeoutMs, take: (reply) => this.#dataReply(reply) }
  }

  #sendInTurn(row: readonly Step[], at: number): void {
    const refused = this.#mailReply !== null && !isPositive(this.#mailReply)
    if (refused || at === row.length) this.#afterRow()
    else this.#send(row[at]!, () => this.#sendInTurn(row, at + 1))
  }

  #send({ line, phase, timeoutMs, take }: Step, then: () => void = () => {}): void {
    this.#wire.record(phase, line)
    this.#wire.expect(phase, timeoutMs, (reply) => {
      take(reply)
      then()
    })
    this.#wire.write(`${line}\r\n`)
  }

  #rcptReply(index: number, reply: Reply): void {
    // A peer that refused MAIL refuses each RCPT for want of it: the first reply says why.
    if (!isPositive(this.#mailReply!)) return
    if (isPositive(reply)) {
      this.#accepted.push(index)
      return
    }
    const reason = replyFailure('rcpt', reply)
    // RFC 5321 §4.5.3.1.10: 452, and 552 of old, mean "not more in this transaction", unless a code says otherwise.
    const full = reply.code === 452 || reply.code === 552
    const named = reply.enhanced?.endsWith('.5.3') === true
    const tooMany = full && (named || reply.enhanced === null) && this.#accepted.length > 0
    this.#settle(index, tooMany || (full && named) ? { ...reason, status: '4.5.3' } : reason, tooMany)
  }

  /** All replies of the envelope are in, and no DATA went with it. */
  #afterRow(): void {
    if (this.#noneLeft()) return
    if (this.#chunking) this.#sendContent('bdat')
    else this.#send(this.#dataStep())
  }

  #dataReply(reply: Reply): void {
    const none = this.#accepted.length === 0 || !isPositive(this.#mailReply!)
    // RFC 5321 §4.2: a code that is not listed goes by its first digit.
    if (reply.code >= 300 && reply.code < 400) {
      if (!none) this.#sendContent('data')
      else this.#sendNothing()
      return
    }
    if (this.#noneLeft()) return
    const reason = replyFailure('data', reply)
    this.#session.needsReset = true
    if (reason.kind === 'protocol') this.#wire.fail(reason)
    else this.#settleRest(reason)
  }

  /** RFC 2920 §3.1: the peer wants content for nobody. It gets none, and its word on that changes nothing. */
  #sendNothing(): void {
    const timeoutMs = this.#session.timeouts.dotMs
    if (this.#session.lmtp) this.#wire.fail(failure('protocol', 'data', '4.5.0', 'DATA accepted for nobody'))
    else this.#send({ line: '.', phase: 'dot', timeoutMs, take: () => this.#noneLeft() })
  }

  /** Settles the transaction when MAIL was refused or nobody was accepted. */
  #noneLeft(): boolean {
    const mail = this.#mailReply!
    if (!isPositive(mail)) this.#settleRest(replyFailure('mail', mail))
    else if (this.#accepted.length > 0) return false
    else {
      this.#session.needsReset = true
      this.#finish()
    }
    return true
  }

  #sendContent(kind: 'data' | 'bdat'): void {
    const { timeouts, lmtp } = this.#session
    const refused = (reply: Reply): void => {
      if (kind === 'bdat' && this.#isNoBdat(reply)) return
      const reason = replyFailure('content', reply)
      // In the midst of DATA nothing but the end of the connection keeps the dot away; a refused chunk is just over.
      this.#session.needsReset = true
      if (kind === 'data' || reason.kind === 'protocol') this.#wire.fail(reason)
      else this.#settleRest(reason)
    }
    const sent = (): void => {
      this.#contentSent = true
      const due = lmtp ? this.#accepted.length : 1
      for (let at = 0; at < due; at++) {
        this.#wire.expect('dot', timeouts.dotMs, (reply) => this.#finalReply(reply))
      }
    }
    void sendContent(this.#wire, this.#request.body, kind, timeouts, { refused, sent })
  }

  /** RFC 2033 §4.2: LMTP answers for each accepted recipient, in their order; SMTP once for all. */
  #finalReply(reply: Reply): void {
    // A chunk was refused when the last one was on its way already.
    if (this.#finished) return
    // 3yz answers no content: the dialogue is out of step, and the peer may have the message.
    if (!isPositive(reply) && reply.code < 400) {
      this.#wire.fail(replyFailure('dot', reply))
      return
    }
    if (this.#chunking && this.#isNoBdat(reply)) return
    const at = this.#finalReplies++
    const answered = this.#session.lmtp ? [this.#accepted[at]!] : this.#accepted
    for (const index of answered) {
      if (isPositive(reply)) this.#deliver(index, reply)
      else this.#settle(index, replyFailure('dot', reply))
    }
    if (!this.#session.lmtp || this.#finalReplies === this.#accepted.length) this.#finish()
  }

  /** Whether BDAT is no command to the peer, though it offers CHUNKING. Then nothing that was sent behind it counts. */
  #isNoBdat(reply: Reply): boolean {
    if (!noCommand.has(reply.code)) return false
    this.#session.refusesBdat = true
    const text = `CHUNKING is offered, and BDAT refused: ${describeReply(reply)}`
    const reason = failure('protocol', 'content', '4.5.1', text, { reply })
    this.#settleRest(reason)
    this.#wire.fail(reason)
    return true
  }

  #lost(reason: Failure): void {
    const refused = this.#mailReply !== null && !isPositive(this.#mailReply)
    // In LMTP a 421 behind the content answers for one recipient; those behind it are told nothing.
    const isForAll = !this.#session.lmtp || this.#finalReplies === this.#accepted.length - 1
    const isAnswered = reason.kind === 'reply' && isForAll
    const uncertain = this.#contentSent && !isAnswered && !refused && this.#outcomes.includes(undefined)
    this.#settleRest(refused ? replyFailure('mail', this.#mailReply!) : reason, uncertain)
  }

  #settleRest(reason: Failure, uncertain = false): void {
    for (const [index, outcome] of this.#outcomes.entries()) if (outcome === undefined) this.#settle(index, reason)
    this.#finish(uncertain)
  }

  #settle(index: number, reason: Failure, tooMany = reason.kind === 'unsupported' && reason.status === '4.5.3'): void {
    this.#outcomes[index] = {
      forwardPath: this.#request.recipients[index]!.forwardPath,
      outcome: reason.status.startsWith('5') ? 'failed' : 'deferred',
      phase: reason.phase,
      reply: reason.reply,
      failure: reason,
      tooMany,
    }
  }

  #deliver(index: number, reply: Reply): void {
    const { forwardPath } = this.#request.recipients[index]!
    this.#outcomes[index] = { forwardPath, outcome: 'delivered', phase: 'dot', reply, failure: null, tooMany: false }
  }

  #finish(uncertain = false): void {
    this.#finished = true
    this.#wire.onDown(null)
    this.#done({
      outcomes: this.#outcomes as RecipientOutcome[],
      uncertain,
      dsnOffered: this.#session.offers('DSN'),
    })
  }
}

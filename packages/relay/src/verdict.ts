/**
 * What became of one recipient, or of everybody behind one destination, with the words for queue, journey and DSN.
 * Who makes them: whatever can end an attempt; the conclusion of attempts reads them.
 */
import { type Failure, type Reply, reply } from '@pennypost/smtp'

export interface Verdict {
  outcome: 'delivered' | 'deferred' | 'failed'
  /** The peer's reply, or one of ours that says what a peer's would. */
  reply: Reply
  /** The host that gave the reply; null where it is ours. */
  host: string | null
  /** The account here that could not be reached: for the journey, and none of the sender's business. */
  login?: string
  /** It is our side that could not: no attempt was made. */
  own?: true
  /** It is held by this rule: not due again until it is released. */
  heldBy?: string
  /** An operator said so: where it cannot be told, it has not happened. */
  byOperator?: true
  /** The content is damaged or gone: an attempt like one at a site that is down, or it would be tried for ever. */
  unreadable?: true
  /** The destination is not to be asked again before this time of the clock. */
  notBefore?: number
  /** It failed because it could not be delivered in time; `reply` is the last that was heard. */
  expired?: true
  /** Delivered to a next hop that sends no success DSN (RFC 3461 §5.2.2). */
  withoutDsn?: true
}

/** A temporary verdict in our own words: 451, and 454 where security is the reason. */
export function deferred(status: `4.${number}.${number}`, text: string): Verdict {
  return { outcome: 'deferred', reply: reply(status.startsWith('4.7') ? 454 : 451, status, text), host: null }
}

/** A permanent verdict in our own words. */
export function failed(code: 550 | 552 | 554 | 556, status: `5.${number}.${number}`, text: string): Verdict {
  return { outcome: 'failed', reply: reply(code, status, text), host: null }
}

/** Our own trouble: it is not the destination's fault, and not an attempt. */
export function troubled(text: string): Verdict {
  return { ...deferred('4.3.0', text), own: true }
}

/** The sender may be told: where we keep things is none of it. */
export function unreadable(): Verdict {
  return { ...deferred('4.3.0', 'The content of the message cannot be read here'), unreadable: true }
}

/** What a failure of the client means for whom it concerns. `host`: the peer; `place`: the peer with its address. */
export function verdictOf(failure: Failure, host: string, place: string): Verdict {
  const permanent = failure.status.startsWith('5')
  if (failure.reply !== null && failure.kind === 'reply') {
    return { outcome: permanent ? 'failed' : 'deferred', reply: failure.reply, host }
  }
  const text = `${place}: ${failure.text}`
  const ours = reply(permanent ? 550 : 451, failure.status, text)
  const verdict: Verdict = { outcome: permanent ? 'failed' : 'deferred', reply: ours, host: null }
  if (failure.kind !== 'local' || permanent) return verdict
  return failure.phase === 'content' ? unreadable() : { ...verdict, own: true }
}

/**
 * RFC 3463 code of a verdict; made of the reply code where the peer gave none. What is tried again is not said to be for good
 * (RFC 3464 §2.3.4), whatever was heard.
 */
export function statusOf({ outcome, reply: { code, enhanced } }: Pick<Verdict, 'outcome' | 'reply'>): string {
  const status = enhanced ?? `${Math.floor(code / 100)}.0.0`
  return outcome === 'deferred' ? status.replace(/^5/, '4') : status
}

import type { Finding, RateFinding, SpfFinding } from '@pennypost/message-auth'
import { lookupAddress, type MemoryNote } from '@pennypost/model'
import { hourMs, Rates, rateNote } from '../rates.ts'
import type { Session } from '../session.ts'
import type { Recipient } from '../transaction.ts'
import { Greylist } from './greylist.ts'
import type { InboundChecks } from './options.ts'

/**
 * What the policy memory says at RCPT: has this sender, this recipient, this network had enough, has this origin waited.
 * One for each client; its answers are findings like all others. A memory that fails stops nobody.
 * Who calls it: the screening of a transaction.
 */
export interface AdmissionFacts {
  reversePath: string
  forwardPath: string
  expansion: Recipient['expansion']
  /** The first of the transaction that is asked about: roles are not. */
  isFirst: boolean
  spf(): Promise<SpfFinding | undefined>
}

export class Admission {
  readonly #session: Session
  readonly #limits: InboundChecks['rates']
  readonly #rates: Rates
  readonly #greylist: Greylist | undefined

  constructor({ rates, greylist }: InboundChecks, session: Session) {
    const { store, clock } = session.options
    this.#session = session
    this.#limits = rates
    this.#rates = new Rates(store.memory)
    this.#greylist = greylist && new Greylist(greylist, store.memory, clock)
  }

  /** `isKnownGood`: an allowing list has the client. */
  async ask(facts: AdmissionFacts, isKnownGood: boolean): Promise<Finding[]> {
    const rate = this.#limits ? [await this.#rate(facts, this.#limits)] : []
    if (!this.#greylist || isKnownGood || rate[0]?.result === 'exceeded') return rate
    const { reversePath, forwardPath } = facts
    const { address: clientAddress } = this.#session.client
    const spf = await facts.spf()
    return [...rate, await this.#greylist.ask({ clientAddress, spf, reversePath, forwardPath })]
  }

  /** What an accepted message counts for. */
  notes(reversePath: string, recipients: readonly Recipient[], now: number): MemoryNote[] {
    const limits = this.#limits
    if (!limits) return []
    const counts = new Map<string, number>()
    for (const { path, expansion } of recipients) {
      const subject = recipientSubject(path.text, expansion)
      counts.set(subject, (counts.get(subject) ?? 0) + 1)
    }
    const note = (subject: string, limit: number, count = 1): MemoryNote[] =>
      limit === 0 ? [] : [rateNote(subject, { windowMs: hourMs, limit }, count, now)]
    return [
      ...note(`network ${this.#session.network}`, limits.network),
      ...(reversePath === '' ? [] : note(senderSubject(reversePath), limits.sender)),
      ...[...counts].flatMap(([subject, count]) => note(subject, limits.recipient, count)),
    ]
  }

  async #rate(
    { reversePath, forwardPath, expansion, isFirst }: AdmissionFacts,
    limits: NonNullable<InboundChecks['rates']>,
  ): Promise<RateFinding> {
    const now = this.#session.options.clock.now()
    const asked: [of: string, subject: string, limit: number][] = [
      ['recipient', recipientSubject(forwardPath, expansion), limits.recipient],
    ]
    // Sender and network count messages: their first recipient asks for all.
    if (isFirst) asked.push(['network', `network ${this.#session.network}`, limits.network])
    if (isFirst && reversePath !== '') {
      asked.push(['sender', senderSubject(reversePath), limits.sender])
    }
    try {
      for (const [of, subject, limit] of asked) {
        const waitMs = await this.#rates.waitMs(subject, { windowMs: hourMs, limit }, 1, now)
        if (waitMs === 0) continue
        const detail = `${of === 'recipient' ? `recipient ${forwardPath}` : subject} has had ${limit} in an hour`
        return { check: 'rate', result: 'exceeded', of, detail, retryAfterSeconds: Math.ceil(waitMs / 1000) }
      }
      return { ...nothingExceeded, result: 'within', detail: '' }
    } catch (error) {
      return { ...nothingExceeded, result: 'unavailable', detail: (error as Error).message }
    }
  }
}

const nothingExceeded = { check: 'rate', of: '', retryAfterSeconds: 0 } as const

const lookedUp = (path: string): string => lookupAddress(path) ?? path.toLowerCase()

const senderSubject = (path: string): string => `sender ${lookedUp(path)}`

/** An account is one recipient, by whichever of its addresses and with whatever detail mail comes. */
function recipientSubject(path: string, { deliveries }: Recipient['expansion']): string {
  const [first] = deliveries
  const isOfOne = deliveries.length === 1 && first?.kind === 'file'
  return isOfOne ? `recipient account ${first.account}` : `recipient ${lookedUp(path)}`
}

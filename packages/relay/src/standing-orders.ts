/**
 * What an operator has ordered for mail that is still to come: recipients to whom nothing is relayed any more, and
 * conditions under which mail is held. Kept in the policy memory; read anew when told, and now and then.
 *
 * Never broken: a held entry that was released is not held again by the rule that held it.
 * Who calls it: the relay, before each attempt.
 */
import { type Clock, type LeasedEntry, type Log, lookupAddress, type PolicyMemory } from '@pennypost/model'
import { reply } from '@pennypost/smtp'
import { deferred, type Verdict } from './verdict.ts'

export interface StandingOrdersOptions {
  memory: Pick<PolicyMemory, 'list'>
  clock: Clock
  log: Log
}

/** How long what was read is believed. */
const freshMs = 30_000
/** Orders of a kind that are read. */
const ordersMax = 100_000
const heldBy = 'Held by the rule'

export class StandingOrders {
  readonly #options: StandingOrdersOptions
  #suppressed = new Map<string, string>()
  #rules: string[] = []
  #readAt = Number.NEGATIVE_INFINITY
  /** Whoever asks meanwhile waits for it too. */
  #reading: Promise<void> = Promise.resolve()

  constructor(options: StandingOrdersOptions) {
    this.#options = options
  }

  /** The next question reads them anew. */
  reread(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  /** Verdicts on suppressed recipients, by index; undefined where there is none. */
  async suppressed({ recipients }: LeasedEntry): Promise<Map<number, Verdict> | undefined> {
    await this.#fresh()
    if (this.#suppressed.size === 0) return undefined
    const verdicts = new Map<number, Verdict>()
    for (const { index, forwardPath } of recipients) {
      const why = this.#suppressed.get(lookupAddress(forwardPath) ?? forwardPath)
      if (why === undefined) continue
      const text = `<${forwardPath}> is on the suppression list of this server${why === '' ? '' : `: ${why}`}`
      verdicts.set(index, { outcome: 'failed', reply: reply(550, '5.1.1', text), host: null })
    }
    return verdicts.size === 0 ? undefined : verdicts
  }

  /** The verdict on an entry that a rule holds now. */
  async held({ destination, envelope, recipients }: LeasedEntry): Promise<Verdict | undefined> {
    await this.#fresh()
    if (this.#rules.length === 0 || recipients.some(({ lastReply }) => lastReply.includes(heldBy))) return undefined
    const from = lookupAddress(envelope.reversePath) ?? '<>'
    const facts = [`destination ${destination}`, ...kinds('from', from)]
    for (const { forwardPath } of recipients) facts.push(...kinds('to', lookupAddress(forwardPath) ?? forwardPath))
    const rule = this.#rules.find((each) => facts.includes(each))
    return rule === undefined ? undefined : { ...deferred('4.3.2', `${heldBy} "${rule}"`), own: true }
  }

  #fresh(): Promise<void> {
    const now = this.#options.clock.elapsed()
    if (now - this.#readAt < freshMs) return this.#reading
    this.#readAt = now
    this.#reading = this.#read()
    return this.#reading
  }

  async #read(): Promise<void> {
    const { memory, clock, log } = this.#options
    try {
      const now = clock.now()
      const [suppressed, rules] = await Promise.all([
        memory.list('suppressed', now, { limit: ordersMax }),
        memory.list('hold-rule', now, { limit: ordersMax }),
      ])
      this.#suppressed = new Map(suppressed.map(({ key, value }) => [key, value]))
      this.#rules = rules.map(({ key }) => key)
    } catch (error) {
      log.error({ err: error }, 'suppressed recipients and hold rules can not be read')
    }
  }
}

/** `from alice@one.test` and `from @one.test`. */
function kinds(field: 'from' | 'to', address: string): string[] {
  return [`${field} ${address}`, `${field} ${address.slice(address.lastIndexOf('@'))}`]
}

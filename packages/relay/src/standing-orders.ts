/**
 * What an operator has ordered for mail that is still to come: recipients to whom nothing is relayed any more, and
 * conditions under which mail is held. Kept in the policy memory and looked up by key, since there may be very many of
 * them; where there are none, which is asked anew when told and now and then, nothing is looked up.
 *
 * Never broken: an entry is held when it is first due or never, so that one that was released is not held again. What
 * cannot be looked up lets nothing go: questions reject as the memory does.
 * Who calls it: the relay, before each attempt.
 */
import { type Clock, type LeasedEntry, lookupAddress, type PolicyMemory } from '@pennypost/model'
import { reply } from '@pennypost/smtp'
import { placeWithLogin } from './hop.ts'
import { deferred, type Verdict } from './verdict.ts'

export interface StandingOrdersOptions {
  memory: Pick<PolicyMemory, 'list' | 'recall'>
  clock: Clock
}

/** How long it is believed which kinds of orders there are. */
const freshMs = 30_000

/** What orders are about: an entry of the queue, or one that there might be. */
interface OrderedMail {
  destination: string
  envelope: Pick<LeasedEntry['envelope'], 'reversePath'>
  recipients: readonly Pick<LeasedEntry['recipients'][number], 'index' | 'forwardPath' | 'lastReply'>[]
}

type Order = 'suppressed' | 'hold-rule'

export class StandingOrders {
  readonly #options: StandingOrdersOptions
  /** Kinds of which there is one at least, as they were read last; whoever asks meanwhile waits for it too. */
  #given: Promise<ReadonlySet<Order>> = Promise.resolve(new Set<Order>())
  #readAt = Number.NEGATIVE_INFINITY

  constructor(options: StandingOrdersOptions) {
    this.#options = options
  }

  /** The next question reads them anew. */
  reread(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  /** Verdicts on suppressed recipients, by index; undefined where there is none. */
  async suppressed({ recipients }: Pick<OrderedMail, 'recipients'>): Promise<Map<number, Verdict> | undefined> {
    if (!(await this.#fresh()).has('suppressed')) return undefined
    const verdicts = new Map<number, Verdict>()
    for (const { index, forwardPath } of recipients) {
      const why = await this.#recall('suppressed', lookupAddress(forwardPath) ?? forwardPath)
      if (why === undefined) continue
      const text = `<${forwardPath}> is on the suppression list of this server${why === '' ? '' : `: ${why}`}`
      verdicts.set(index, { outcome: 'failed', reply: reply(550, '5.1.1', text), host: null })
    }
    return verdicts.size === 0 ? undefined : verdicts
  }

  /** The verdict on an entry that a rule holds now. One of which something has been said is not due for the first time. */
  async held({ destination, envelope, recipients }: OrderedMail): Promise<Verdict | undefined> {
    const given = await this.#fresh()
    if (!given.has('hold-rule') || recipients.some(({ lastReply }) => lastReply !== '')) return undefined
    const from = lookupAddress(envelope.reversePath) ?? '<>'
    const facts = new Set([`destination ${destination}`, ...kinds('from', from)])
    const place = placeWithLogin(destination)
    if (place !== undefined) facts.add(`destination ${place}`)
    for (const { forwardPath } of recipients) {
      for (const kind of kinds('to', lookupAddress(forwardPath) ?? forwardPath)) facts.add(kind)
    }
    for (const rule of facts) {
      if ((await this.#recall('hold-rule', rule)) === undefined) continue
      return { ...deferred('4.3.2', `Held by the rule "${rule}"`), own: true, heldBy: rule }
    }
    return undefined
  }

  /** The value of the order; undefined when there is none. */
  async #recall(order: Order, key: string): Promise<string | undefined> {
    const { memory, clock } = this.#options
    return (await memory.recall(order, key, clock.now()))?.value
  }

  #fresh(): Promise<ReadonlySet<Order>> {
    const now = this.#options.clock.elapsed()
    if (now - this.#readAt < freshMs) return this.#given
    this.#readAt = now
    const given = this.#read()
    this.#given = given
    given.catch(() => {
      if (this.#given === given) this.reread()
    })
    return given
  }

  async #read(): Promise<ReadonlySet<Order>> {
    const { memory, clock } = this.#options
    const given = new Set<Order>()
    for (const order of ['suppressed', 'hold-rule'] as const) {
      if ((await memory.list(order, clock.now(), { limit: 1 })).length > 0) given.add(order)
    }
    return given
  }
}

/** `from alice@one.test` and `from @one.test`. */
function kinds(field: 'from' | 'to', address: string): string[] {
  return [`${field} ${address}`, `${field} ${address.slice(address.lastIndexOf('@'))}`]
}

/**
 * From a forward-path to what is done for it: who gets it, under which reverse-path it goes on, or why it is refused.
 * Called at RCPT and, for DSNs and local queue entries, by the relay.
 *
 * Theory of operation: a walk from the address through aliases. It gathers deliveries and refusals; at the end
 * anybody who can be reached makes the recipient good, otherwise the weightiest refusal is the reply.
 *
 * Never broken: an account gets one delivery, however many ways lead to it; every walk ends (each alias is passed once,
 * so deep, so many deliveries); foreign mail is handed on only if the context allows it, an administrator's alias or
 * domain says so, or a bounce comes back to an address that we signed ourselves.
 */
import {
  type Account,
  type Alias,
  type Clock,
  type FlowFact,
  lookupAddress,
  lookupDomain,
  type PolicyMemory,
  splitAddress,
  turnTaking,
} from '@pennypost/model'
import { printAddress } from './address-text.ts'
import { createLocate, isOurs, type Locate, type LocateOptions, type Place } from './locate.ts'
import type { AddressPath, Delivery, ExpandContext, Expansion, FileDelivery, Mda, RelayDelivery } from './mda.ts'
import { type Refusal, replyFor, weightiest } from './refusals.ts'
import { createMaySend } from './sender-permission.ts'
import { hasSent } from './sent-memory.ts'
import { isSrs, type Srs } from './srs.ts'
import { wantOfRoom } from './want-of-room.ts'

/** What the expansion of recipients stands on. */
export interface MdaOptions extends LocateOptions {
  srs: Srs
  clock: Clock
  /** What is known of who has sent; for catch-alls. */
  memory: Pick<PolicyMemory, 'recall'>
  /** Address for postmaster and abuse; '', or while it does not exist: the first administrator, or else first account. */
  administrator: string
  limits?: Partial<ExpansionLimits>
}

/** Bounds of one expansion. */
export interface ExpansionLimits {
  /** Aliases behind aliases. */
  aliasDepth: number
  /** Deliveries of one forward-path. */
  deliveries: number
}

const defaultExpansionLimits: ExpansionLimits = { aliasDepth: 10, deliveries: 10_000 }

/** RFC 5321 §4.5.1, RFC 2142 §2: these reach a person in every domain of ours, whatever the directory says. */
const roles = ['postmaster', 'abuse', 'mailer-daemon']
/** On the bare hostname also root, for whom cron writes. */
const hostRoles = [...roles, 'root']

/** Octets of a reverse-path without its angle brackets (RFC 5321 §4.5.3.1.3). */
const pathMax = 254

/** Sender-specified routing, as hosts of old have it: `x%two.test`, `two.test!x`, `"x@two.test"` (RFC 2505 §2.1). */
const routed = /[%!@]/

/** Targets of an alias that are followed in one turn of the event loop. */
const targetsPerTurn = 100

interface Walk {
  asked: AddressPath
  context: ExpandContext
  /** As received, with our hostname for a bare `postmaster`. */
  deliveredTo: string
  deliveries: Delivery[]
  /** Accounts without room. */
  full: FileDelivery[]
  /** Accounts and outside addresses that have been reached. */
  reached: Set<string>
  /** Aliases that have been followed. */
  passed: Set<string>
  refusals: Set<Refusal>
  facts: FlowFact[]
  /** It leads to the administrator just now, whose mail is not refused for want of room. */
  toAdministrator: boolean
}

/** Makes the MDA over a directory. */
export function createMda(options: MdaOptions): Mda {
  const expander = new Expander(options)
  const { directory, recipientDelimiter } = options
  return {
    expand: (forwardPath, context) => expander.expand(forwardPath, context),
    maySend: createMaySend({
      directory,
      recipientDelimiter,
      reaches: (address, account) => expander.reaches(address, account),
    }),
  }
}

class Expander {
  readonly #options: MdaOptions
  readonly #limits: ExpansionLimits
  readonly #locate: Locate
  /** Whether there is one, as of that version of the directory. */
  #domains: { version: number; any: boolean } | undefined

  constructor(options: MdaOptions) {
    this.#options = options
    this.#limits = { ...defaultExpansionLimits, ...options.limits }
    this.#locate = createLocate(options)
  }

  async expand(asked: AddressPath, context: ExpandContext): Promise<Expansion> {
    const walk = this.#begin(asked, context)
    const place = await this.#locate(asked.localPart, asked.domain)
    if (place.kind === 'outside') await this.#relay(walk, place)
    else if (place.kind === 'nobody') await this.#answerForNobody(walk, place)
    else await this.#take(walk, place, asked.text, [])

    if (walk.deliveries.length > 0) {
      walk.deliveries.push(...walk.full.map((filing): FileDelivery => ({ ...filing, later: true })))
    }
    // Nobody gets what not everybody can get: the sender has to know.
    if (walk.deliveries.length === 0 || walk.refusals.has('too-many')) {
      return { kind: 'refused', reply: replyFor(weightiest(walk.refusals), asked.text, context) }
    }
    const deliveries = await this.#rewriteSender(walk)
    return { kind: 'accepted', deliveries, facts: walk.facts }
  }

  /** Whether mail for the address reaches the account by name or alias (a catch-all does not count). */
  async reaches(address: AddressPath, account: Account): Promise<boolean> {
    const walk = this.#begin(address, { reversePath: '', size: 0, mayRelay: false })
    await this.#follow(walk, address.localPart, address.domain, [])
    return walk.reached.has(String(account.id))
  }

  #begin(asked: AddressPath, context: ExpandContext): Walk {
    return {
      asked,
      context,
      deliveredTo: asked.domain === '' ? `${asked.text}@${this.#options.hostname}` : asked.text,
      deliveries: [],
      full: [],
      reached: new Set(),
      passed: new Set(),
      refusals: new Set(),
      facts: [],
      toAdministrator: false,
    }
  }

  /** Plain relaying: the recipient is not ours. A route in the local part is for whoever may relay: that host believes us. */
  async #relay(walk: Walk, { nextHop, verify }: Extract<Place, { kind: 'outside' }>): Promise<void> {
    const isTheirs = nextHop !== undefined && !routed.test(walk.asked.localPart)
    if (isTheirs || walk.context.mayRelay) {
      walk.deliveries.push({ ...relayTo(walk.asked.text, '', nextHop), ...(verify ? { verify } : {}) })
    } else walk.refusals.add((await this.#hasDomains()) ? 'relaying' : 'no-domain')
  }

  async #hasDomains(): Promise<boolean> {
    const { directory } = this.#options
    const { version } = directory
    if (this.#domains?.version !== version) {
      this.#domains = { version, any: (await directory.domains()).length > 0 }
    }
    return this.#domains.any
  }

  async #answerForNobody(walk: Walk, place: Extract<Place, { kind: 'nobody' }>): Promise<void> {
    const { asked, context } = walk
    if (isSrs(asked.localPart)) return this.#returnBounce(walk)
    if (isRole(place.base, !place.domain)) return this.#reachAdministrator(walk, [asked.text])
    const catchAll = splitAddress(place.domain?.catchAll ?? '')
    const { memory, clock } = this.#options
    if (!catchAll || (context.reversePath === '' && !(await hasSent(memory, asked.text, clock)))) {
      walk.refusals.add('nobody')
      return
    }
    this.#note(walk, 'catch-all', [place.domain!.catchAll])
    await this.#follow(walk, catchAll.localPart, catchAll.domain, [asked.text])
  }

  /** A bounce of something that we forwarded goes on to who sent it. */
  async #returnBounce(walk: Walk): Promise<void> {
    const { srs, clock } = this.#options
    const sender = walk.context.reversePath === '' ? srs.reverse(walk.asked.localPart, clock.now()) : undefined
    if (!sender) {
      walk.refusals.add('bounce')
      return
    }
    const forwardPath = printAddress(sender.localPart, sender.domain)
    this.#note(walk, 'srs', [forwardPath])
    const place = await this.#locate(sender.localPart, sender.domain)
    if (place.kind === 'outside') walk.deliveries.push(relayTo(forwardPath, '', place.nextHop))
    else await this.#take(walk, place, forwardPath, [walk.asked.text])
  }

  /** One address on the way; `path` are the addresses behind it. */
  async #follow(walk: Walk, localPart: string, domain: string, path: readonly string[]): Promise<void> {
    const place = await this.#locate(localPart, domain)
    const address = printAddress(localPart, domain)
    if (place.kind === 'outside') this.#forward(walk, address, place.nextHop)
    else await this.#take(walk, place, address, path)
  }

  async #take(
    walk: Walk,
    place: Exclude<Place, { kind: 'outside' }>,
    address: string,
    path: readonly string[],
  ): Promise<void> {
    switch (place.kind) {
      case 'account':
        return this.#file(walk, place.account)
      case 'alias':
        return this.#followAlias(walk, place.alias, path)
      case 'nobody':
        if (isRole(place.base, !place.domain)) return this.#reachAdministrator(walk, path)
        this.#refuse(walk, 'nobody', address)
        return
      case 'removed':
        this.#refuse(walk, 'removed', address)
    }
  }

  /** Others on the way may still be reached: the journey says who of them was not. */
  #refuse(walk: Walk, refusal: Refusal, address: string): void {
    walk.refusals.add(refusal)
    const { code, enhanced, lines } = replyFor(refusal, address, walk.context)
    walk.facts.push({ kind: 'refused', forwardPath: address, reply: `${code} ${enhanced} ${lines[0]}` })
  }

  async #followAlias(walk: Walk, { address, targets }: Alias, path: readonly string[]): Promise<void> {
    const isTooDeep = path.length > this.#limits.aliasDepth
    if (isTooDeep || path.includes(address)) this.#refuse(walk, 'loop', address)
    if (isTooDeep || walk.passed.has(address)) return
    walk.passed.add(address)
    this.#note(walk, 'alias', targets, path.length === 0 ? walk.asked.text : address)
    const reachedBefore = walk.reached.size
    // Everything is answered from memory, so that nobody else would have a turn before the last of thousands.
    const othersTurn = turnTaking(targetsPerTurn)
    for (const target of targets) {
      await othersTurn()
      const parts = splitAddress(target)
      if (walk.reached.size >= this.#limits.deliveries) {
        walk.refusals.add('too-many')
        return
      }
      if (parts) await this.#follow(walk, parts.localPart, parts.domain, [...path, address])
    }
    // RFC 5321 §4.5.1: a postmaster alias that leads nowhere is no excuse.
    const nowhere = path.length === 0 && walk.reached.size === reachedBefore
    if (nowhere && isRole(address.slice(0, address.lastIndexOf('@')), false)) {
      await this.#reachAdministrator(walk, [address])
    }
  }

  async #reachAdministrator(walk: Walk, path: readonly string[]): Promise<void> {
    walk.toAdministrator = true
    await this.#followAdministrator(walk, path)
    walk.toAdministrator = false
  }

  async #followAdministrator(walk: Walk, path: readonly string[]): Promise<void> {
    const { directory, administrator } = this.#options
    const configured = splitAddress(administrator)
    if (configured) {
      const place = await this.#locate(configured.localPart, configured.domain)
      // Not when it is a role itself and nobody's: that would lead back here.
      if (place.kind !== 'nobody') {
        this.#note(walk, 'alias', [administrator])
        if (place.kind === 'outside') this.#forward(walk, administrator, place.nextHop)
        else await this.#take(walk, place, administrator, [...path, 'administrator'])
        if (place.kind !== 'removed' && walk.reached.size > 0) return
      }
    }
    const first = await directory.firstAdministrator()
    if (!first) {
      walk.refusals.add('nobody')
      return
    }
    this.#note(walk, 'alias', [first.login])
    await this.#file(walk, first)
  }

  async #file(walk: Walk, account: Account): Promise<void> {
    const key = String(account.id)
    if (walk.reached.has(key)) {
      const waiting = walk.toAdministrator ? walk.full.findIndex((filing) => filing.account === account.id) : -1
      const found = waiting < 0 ? [] : walk.full.splice(waiting, 1)
      walk.deliveries.push(...found.map((filing): FileDelivery => ({ ...filing, always: true })))
      return
    }
    walk.reached.add(key)
    const filing: FileDelivery = { kind: 'file', account: account.id, deliveredTo: walk.deliveredTo }
    if (walk.toAdministrator) {
      walk.deliveries.push({ ...filing, always: true })
      return
    }
    const refusal = await wantOfRoom(this.#options.directory, account, walk.context.size)
    if (refusal) walk.refusals.add(refusal)
    ;(refusal ? walk.full : walk.deliveries).push(filing)
  }

  #forward(walk: Walk, forwardPath: string, nextHop: string | undefined): void {
    const key = lookupAddress(forwardPath) ?? forwardPath
    if (walk.reached.has(key)) return
    walk.reached.add(key)
    walk.deliveries.push(relayTo(forwardPath, `Delivered-To: ${walk.deliveredTo}\r\n`, nextHop))
  }

  /**
   * The SPF of a sender elsewhere does not know us, so what we forward for an alias leaves in our name, and bounces find
   * their way back. Not towards hosts of domains that we relay for: they know where it comes from. A sender for whom that
   * gets too long keeps its own: better a doubtful SPF than a path that nobody may send.
   */
  async #rewriteSender({ asked, context, deliveries }: Walk): Promise<Delivery[]> {
    const { srs, clock, hostname } = this.#options
    const isForward = (delivery: Delivery): delivery is RelayDelivery =>
      delivery.kind === 'relay' && delivery.trace !== '' && delivery.nextHop === undefined
    const sender = splitAddress(context.reversePath)
    if (!sender || !deliveries.some(isForward)) return deliveries
    if (await isOurs(sender.domain, this.#options)) return deliveries
    const reversePath = printAddress(srs.forward(sender, clock.now()), lookupDomain(asked.domain) ?? hostname)
    if (Buffer.byteLength(reversePath) > pathMax) return deliveries
    return deliveries.map((delivery) => (isForward(delivery) ? { ...delivery, reversePath } : delivery))
  }

  /** `expanded` for the journey. */
  #note(walk: Walk, by: 'alias' | 'catch-all' | 'srs', targets: readonly string[], from = walk.asked.text): void {
    walk.facts.push({ kind: 'expanded', forwardPath: from, by, targets })
  }
}

/** Whether this local part always reaches a person. */
function isRole(base: string, bareHostname: boolean): boolean {
  return (bareHostname ? hostRoles : roles).includes(base)
}

function relayTo(forwardPath: string, trace: string, nextHop: string | undefined): RelayDelivery {
  return { kind: 'relay', forwardPath, trace, nextHop }
}

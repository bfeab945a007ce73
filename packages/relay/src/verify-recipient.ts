/**
 * Asks a next hop whether it takes a recipient, before a stranger's mail for it is taken, so that nobody is sent a bounce
 * for mail that was never theirs (RFC 5321 §3.3). What it says is kept.
 *
 * Never broken: only a 5yz reply to RCPT itself refuses a recipient, and one that may be about us and our rights only if a
 * recipient that nobody has gets another, or one that was known is taken still; of a next hop that is away, slow, or does
 * not say, all are taken, and none waits for longer than `verifyMs`. Outsiders can have it asked no more than `questions`
 * at a time, and about one address once, but for the known one that shows what such a reply means.
 * Who calls it: the relay, for reception.
 */
import type { RelayDelivery, Verification } from '@pennypost/mda'
import { createGate, type Gate, type Random } from '@pennypost/model'
import { describeReply, isPermanent, isPositive, type Reply, type SmtpClient } from '@pennypost/smtp'
import { BackOff } from './back-off.ts'
import { dropOldest } from './drop-oldest.ts'
import { pathOf } from './dsn-address.ts'
import type { RelayLimits } from './limits.ts'
import { type NextHop, placeOf } from './next-hop.ts'
import { createOpenConnection, type OpenOptions } from './open-connection.ts'
import type { Relay } from './relay.ts'
import { deferred, verdictOf } from './verdict.ts'

export interface VerifierOptions extends OpenOptions {
  limits: RelayLimits
  random: Random
}

/** A next hop that has told nobody from nobody else since then. */
export interface Unasked {
  destination: string
  since: number
  askedAt: number
  reply: string
}

/** What was heard; `about` the next hop: it would be no other for another recipient. */
type Word = Pick<Verification, 'answer' | 'reply'> & { about: 'recipient' | 'next hop' }

type Kept = Map<string, { verification: Verification; until: number }>

/** What is said no more, or of a next hop that nobody asks any more, is no trouble of today. */
const recentMs = 24 * 60 * 60_000

export function createVerifier(options: VerifierOptions): Pick<Relay, 'verifyRecipient' | 'unasked'> {
  const verifier = new Verifier(options)
  return { verifyRecipient: (delivery) => verifier.verify(delivery), unasked: () => verifier.unasked }
}

class Verifier {
  readonly #options: VerifierOptions
  /** Apart, so that who guesses addresses displaces no known one; in each those that end first before the others. */
  readonly #kept: Record<Verification['answer'], Kept> = {
    known: new Map(),
    refused: new Map(),
    'refused-us': new Map(),
    unsaid: new Map(),
  }
  readonly #asking = new Map<string, Promise<Verification>>()
  /** One for each next hop that a domain ever had, which are few. */
  readonly #gates = new Map<string, Gate>()
  readonly #silent: BackOff
  readonly #unasked = new Map<string, Unasked>()
  /** The last known recipient of each domain. */
  readonly #known = new Map<string, string>()

  constructor(options: VerifierOptions) {
    this.#options = options
    const { clock, limits } = options
    this.#silent = new BackOff({ clock, limits: { backOffMs: limits.silentMs, backOffMaxMs: limits.silentMs } })
  }

  /** Those next hops that were asked lately in vain. */
  get unasked(): Unasked[] {
    const now = this.#options.clock.now()
    return [...this.#unasked.values()].filter(({ askedAt }) => now - askedAt < recentMs)
  }

  /** Takes at most `verifyMs`. */
  async verify({ forwardPath, nextHop }: RelayDelivery): Promise<Verification> {
    const { routes } = this.#options
    const destination = routes.destination(pathOf(forwardPath).domain, nextHop)
    const key = `${destination} ${forwardPath}`
    const known = this.#recall(key) ?? this.#asking.get(key)
    if (known) return known
    const asking = this.#verify(key, forwardPath, destination).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  async #verify(key: string, forwardPath: string, destination: string): Promise<Verification> {
    const askedAt = this.#options.clock.now()
    const { about, answer, reply } = await this.#ask(forwardPath, destination)
    const verification = { forwardPath, destination, answer, reply, askedAt }
    if (about === 'recipient') this.#keep(key, verification)
    return verification
  }

  #recall(key: string): Verification | undefined {
    const now = this.#options.clock.elapsed()
    for (const kept of Object.values(this.#kept)) {
      const found = kept.get(key)
      if (found && found.until > now) return found.verification
    }
    return undefined
  }

  #keep(key: string, verification: Verification): void {
    const { clock, limits } = this.#options
    const kept = this.#kept[verification.answer]
    const { knownMs, refusedMs, unsaidMs } = limits
    const keptMs = { known: knownMs, refused: refusedMs, 'refused-us': unsaidMs, unsaid: unsaidMs }
    kept.delete(key)
    kept.set(key, { verification, until: clock.elapsed() + keptMs[verification.answer] })
    dropOldest(kept, limits.answersKept)
  }

  async #ask(forwardPath: string, destination: string): Promise<Word> {
    const { deadline, limits, stopping } = this.#options
    const signal = deadline.signal(limits.verifyMs, stopping)
    const pass = this.#silence(destination) ? undefined : await this.#enter(destination, signal)
    // Those before it in the line may have found out.
    const silence = this.#silence(destination)
    if (silence || !pass) {
      pass?.[Symbol.dispose]()
      return silence ?? unsaid('its turn did not come in time')
    }
    const { promise, resolve, reject } = Promise.withResolvers<Word>()
    const late = (): void => resolve(unsaid('no answer in time'))
    signal.addEventListener('abort', late, { once: true })
    // What it still says after its time has run out is not heard, but keeps its place until it ends.
    this.#converse(forwardPath, destination, signal, resolve)
      .catch(reject)
      .finally(() => pass[Symbol.dispose]())
    const word = await promise
    signal.removeEventListener('abort', late)
    if (word.about === 'next hop') this.#silent.failed(destination, deferred('4.4.1', word.reply))
    this.#note(destination, word)
    return word
  }

  #note(destination: string, { about, answer, reply }: Word): void {
    const askedAt = this.#options.clock.now()
    if (about === 'recipient' && answer !== 'refused-us') this.#unasked.delete(destination)
    else {
      const since = this.#unasked.get(destination)?.since ?? askedAt
      this.#unasked.set(destination, { destination, since, askedAt, reply })
    }
  }

  #silence(destination: string): Word | undefined {
    const verdict = this.#silent.verdictOn(destination)
    return verdict && unsaid(describeReply(verdict.reply))
  }

  async #enter(destination: string, signal: AbortSignal): Promise<Disposable | undefined> {
    const { questions, questionsWaiting } = this.#options.limits
    const gate = this.#gates.get(destination) ?? createGate(questions, questionsWaiting, 'questions')
    this.#gates.set(destination, gate)
    return gate.enter(signal).catch(() => undefined)
  }

  /** Takes leave only when the answer is told: nobody waits for that. */
  async #converse(
    forwardPath: string,
    destination: string,
    signal: AbortSignal,
    tell: (word: Word) => void,
  ): Promise<void> {
    const open = createOpenConnection({ ...this.#options, stopping: signal })
    const opened = await open({ destination, security: 'policy' })
    if (!opened.ok) return tell(unsaid(describeReply(opened.verdict.reply)))
    const { client } = opened.hop
    const close = (): void => client.close()
    signal.addEventListener('abort', close, { once: true })
    if (signal.aborted) close()
    const ask: Ask = (path) => client.probe({ reversePath: '', forwardPath: path, requireTls: false })
    const probed = await ask(forwardPath)
    const word = wordOf(probed, opened.hop)
    const { rcpt } = probed
    const { domain } = pathOf(forwardPath)
    const place = `${destination} ${domain.toLowerCase()}`
    if (word.answer === 'known') this.#known.set(place, forwardPath)
    else if (rcpt && mayBeAboutUs(rcpt) && (await this.#isAboutUs(rcpt, domain, this.#known.get(place), ask)))
      word.answer = 'refused-us'
    tell(word)
    await client.quit()
    signal.removeEventListener('abort', close)
  }

  /** Whether others get the same: who is nobody, and `known`, of whom some next hops alone say anything else. */
  async #isAboutUs(said: Reply, domain: string, known: string | undefined, ask: Ask): Promise<boolean> {
    const { rcpt } = await ask(`nobody-${this.#options.random.bytes(8).toString('hex')}@${domain}`)
    if (rcpt && (rcpt.code !== said.code || rcpt.enhanced !== said.enhanced)) return false
    const still = known === undefined ? null : (await ask(known)).rcpt
    return !still || !isPositive(still)
  }
}

type Ask = (forwardPath: string) => ReturnType<SmtpClient['probe']>

/**
 * RFC 3463 §3.8: 5.7.z is about who may, which is us as often as the recipient; without such a status, what RFC 5321
 * §4.2.3 has for no mailbox.
 */
function mayBeAboutUs(rcpt: Reply): boolean {
  return isPermanent(rcpt) && (rcpt.enhanced ? rcpt.enhanced.startsWith('5.7.') : rcpt.code < 550 || rcpt.code > 553)
}

function unsaid(reply: string, about: Word['about'] = 'next hop'): Word {
  return { about, answer: 'unsaid', reply }
}

/** What it says to MAIL is no word about the recipient, nor is 421, which is a failure to the client. */
function wordOf({ rcpt, failure }: Awaited<ReturnType<SmtpClient['probe']>>, hop: NextHop): Word {
  if (failure) {
    const cannotBeAsked = failure.kind === 'local' || failure.kind === 'unsupported'
    const { reply } = verdictOf(failure, hop.host, placeOf(hop))
    return unsaid(describeReply(reply), cannotBeAsked ? 'recipient' : 'next hop')
  }
  const answer = isPositive(rcpt!) ? 'known' : isPermanent(rcpt!) ? 'refused' : 'unsaid'
  return { about: 'recipient', answer, reply: describeReply(rcpt!) }
}

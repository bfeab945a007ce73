import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'
import type { GreylistFinding, SpfFinding } from '@pennypost/message-auth'
import { type Clock, lookupAddress, type MemoryNote, type PolicyMemory } from '@pennypost/model'
import { networkOf } from '@pennypost/transport'

/**
 * Greylisting: an origin that nobody here knows is asked to come back once, which programs that send junk rarely do and
 * mail servers always (RFC 5321 §4.5.4.1). An origin is the domain that SPF vouches for, so that the servers of a large
 * sender wait once together, else the network. Who has waited, and whom our own people write to, waits no more.
 *
 * What must never break: it only ever defers, and what cannot be looked up delays nobody.
 * Who calls it: `Admission`; submission, for those to whom an account has written.
 */
export interface GreylistOptions {
  /** How long a stranger has to wait before it comes again. */
  delayMs: number
  /** How long it may take to come again. */
  windowMs: number
  /** How long one is known after its last mail. */
  keepMs: number
}

export const defaultGreylist: GreylistOptions = {
  delayMs: 5 * 60_000,
  windowMs: 2 * 86_400_000,
  keepMs: 35 * 86_400_000,
}

export interface GreylistFacts {
  clientAddress: string
  spf: SpfFinding | undefined
  /** '' for the null reverse-path. */
  reversePath: string
  forwardPath: string
}

/** A known origin is noted again after so long, not for each of its messages. */
const noteEveryMs = 86_400_000

export class Greylist {
  readonly #options: GreylistOptions
  readonly #memory: PolicyMemory
  readonly #clock: Clock

  constructor(options: GreylistOptions, memory: PolicyMemory, clock: Clock) {
    this.#options = options
    this.#memory = memory
    this.#clock = clock
  }

  /** Never rejects. */
  async ask(facts: GreylistFacts): Promise<GreylistFinding> {
    try {
      return await this.#ask(facts)
    } catch (error) {
      return finding('unavailable', error instanceof Error ? error.message : String(error))
    }
  }

  async #ask({ clientAddress, spf, reversePath, forwardPath }: GreylistFacts): Promise<GreylistFinding> {
    const now = this.#clock.now()
    const { delayMs, windowMs, keepMs } = this.#options
    const origin = spf?.result === 'pass' ? `domain ${spf.domain}` : `network ${networkAround(clientAddress)}`
    const known = await this.#memory.recall('reputation', origin, now)
    if (known) {
      if (known.lastAt + noteEveryMs <= now) await this.#memory.note([reputation(origin, now, keepMs)])
      return finding('known', `${origin} has waited before`)
    }
    const writtenTo = reversePath === '' ? undefined : correspondentKey(reversePath)
    if (writtenTo !== undefined && (await this.#memory.recall('reputation', writtenTo, now))) {
      return finding('known', `${reversePath} was written to from here`)
    }
    const key = createHash('sha256').update(`${origin}\0${reversePath}\0${forwardPath}`).digest('base64url')
    const noted = await this.#memory.recall('greylist', key, now)
    // Noted by a clock that was ahead, it would make the sender wait until ours has caught up.
    const first = noted && noted.firstAt <= now ? noted : undefined
    if (noted && !first) await this.#memory.forget('greylist', key)
    if (!first) await this.#memory.note([{ kind: 'greylist', key, at: now, expiresAt: now + windowMs }])
    const waitMs = (first?.firstAt ?? now) + delayMs - now
    if (waitMs > 0) return finding('wait', `${origin} is not known yet`, Math.ceil(waitMs / 1000))
    await this.#memory.forget('greylist', key)
    await this.#memory.note([reputation(origin, now, keepMs)])
    return finding('waited', `${origin} has waited`)
  }
}

/** Notes that mail went from here to these addresses: who answers is no stranger. */
export function correspondentNotes(
  forwardPaths: readonly string[],
  { keepMs }: GreylistOptions,
  now: number,
): MemoryNote[] {
  return forwardPaths.flatMap((path) => {
    const key = correspondentKey(path)
    return key === undefined ? [] : [reputation(key, now, keepMs)]
  })
}

function correspondentKey(path: string): string | undefined {
  const address = lookupAddress(path)
  return address === undefined ? undefined : `correspondent ${address}`.slice(0, 500)
}

function reputation(key: string, now: number, keepMs: number): MemoryNote {
  return { kind: 'reputation', key, at: now, expiresAt: now + keepMs }
}

function finding(result: GreylistFinding['result'], detail: string, retryAfterSeconds = 0): GreylistFinding {
  return { check: 'greylist', result, detail, retryAfterSeconds }
}

/** IPv4 /24, IPv6 /64: a sender's next try may come from the machine beside the first. */
function networkAround(address: string): string {
  const network = networkOf(address)
  return isIPv4(network) ? `${network.slice(0, network.lastIndexOf('.'))}.0/24` : network
}

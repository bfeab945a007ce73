import type { Account, MemoryNote, PolicyMemory } from '@pennypost/model'
import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import { dayMs, hourMs, type RateLimit, Rates, rateNote } from './rates.ts'

/**
 * How much an account may send: what keeps a stolen password from becoming a million letters. 450 at MAIL when the
 * messages are used up, 452 at RCPT when the recipients are, both with the time when to try again; behind the content,
 * either is for sessions that had all begun before one of them used them up. One for all listeners.
 * Who calls it: MAIL, RCPT, and the acceptance, which notes what it counts for.
 */
export interface SubmissionLimits {
  /** 0: any number, here as below. */
  messagesPerHour: number
  messagesPerDay: number
  recipientsPerHour: number
  recipientsPerDay: number
}

type Kind = 'messages' | 'recipients'

export class SubmissionQuota {
  readonly #limits: Readonly<Record<Kind, readonly RateLimit[]>>
  readonly #rates: Rates
  /** What is being stored, by subject. */
  readonly #underWay = new Map<string, number>()

  constructor(limits: SubmissionLimits, memory: Pick<PolicyMemory, 'recall'>) {
    const { messagesPerHour, messagesPerDay, recipientsPerHour, recipientsPerDay } = limits
    this.#rates = new Rates(memory)
    this.#limits = {
      messages: used([
        { windowMs: hourMs, limit: messagesPerHour },
        { windowMs: dayMs, limit: messagesPerDay },
      ]),
      recipients: used([
        { windowMs: hourMs, limit: recipientsPerHour },
        { windowMs: dayMs, limit: recipientsPerDay },
      ]),
    }
  }

  /** Why the account may not begin another message now; undefined when it may. */
  refuseMessage(account: Account, now: number): Promise<Reply | undefined> {
    return this.#refusal(account, 'messages', 1, now)
  }

  /** Why the message may not have so many recipients now; undefined when it may. */
  refuseRecipients(account: Account, recipients: number, now: number): Promise<Reply | undefined> {
    return this.#refusal(account, 'recipients', recipients, now)
  }

  /** Counts a message until its notes do, or it has come to nothing; a reply where it is one too many. */
  async take(account: Account, recipients: number, now: number): Promise<Disposable | Reply> {
    const wanted = { messages: 1, recipients }
    const before = {
      messages: this.#add(account, 'messages', 1),
      recipients: this.#add(account, 'recipients', recipients),
    }
    const leave = (): void => {
      this.#add(account, 'messages', -1)
      this.#add(account, 'recipients', -recipients)
    }
    try {
      for (const kind of ['messages', 'recipients'] as const) {
        const refusal = await this.#refusal(account, kind, wanted[kind], now, before[kind])
        if (!refusal) continue
        leave()
        return refusal
      }
      return { [Symbol.dispose]: leave }
    } catch (error) {
      leave()
      throw error
    }
  }

  /** Gives how many there were before. */
  #add(account: Account, kind: Kind, count: number): number {
    const subject = subjectOf(account, kind)
    const before = this.#underWay.get(subject) ?? 0
    if (before + count === 0) this.#underWay.delete(subject)
    else this.#underWay.set(subject, before + count)
    return before
  }

  /** What an accepted message counts for. */
  notes(account: Account, recipients: number, now: number): MemoryNote[] {
    return [
      ...this.#limits.messages.map((limit) => rateNote(subjectOf(account, 'messages'), limit, 1, now)),
      ...this.#limits.recipients.map((limit) => rateNote(subjectOf(account, 'recipients'), limit, recipients, now)),
    ]
  }

  async #refusal(account: Account, kind: Kind, wanted: number, now: number, underWay = 0): Promise<Reply | undefined> {
    const subject = subjectOf(account, kind)
    for (const limit of this.#limits[kind]) {
      const tooMany = wanted > limit.limit
      const waitMs = tooMany ? limit.windowMs : await this.#rates.waitMs(subject, limit, wanted, now, underWay)
      if (waitMs === 0) continue
      const per = limit.windowMs === hourMs ? 'an hour' : 'a day'
      const text = `${account.login} may send ${limit.limit} ${kind === 'messages' ? 'messages' : 'copies'} ${per}`
      const when = tooMany ? '' : `, try again in ${spoken(waitMs)}`
      return kind === 'messages' ? withText(replies.rateLimited, text + when) : reply(452, '4.7.1', text + when)
    }
    return undefined
  }
}

const used = (limits: RateLimit[]): RateLimit[] => limits.filter(({ limit }) => limit > 0)

const subjectOf = ({ id }: Account, kind: Kind): string => `account ${id} ${kind}`

/** `17 minutes`; never less than it takes. */
function spoken(waitMs: number): string {
  const minutes = Math.ceil(waitMs / 60_000)
  if (minutes < 120) return minutes === 1 ? '1 minute' : `${minutes} minutes`
  return `${Math.ceil(minutes / 60)} hours`
}

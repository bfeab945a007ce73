/**
 * Where accounts have now what was filed for them: journeys end with the filing, and what is moved, copied or expunged
 * later is in no record. Asked by `trace`, so that it says where a message is, not only where it once came.
 */
import { type AccountId, type FlowEvent, type Journey, type JourneyId, type Mailbox, UidSet } from '@pennypost/model'
import type { AdminContext } from './context.ts'

export interface Kept {
  login: string
  /** Empty: nowhere any more. */
  places: { mailbox: string; uid: number }[]
}

type Filed = Extract<FlowEvent, { kind: 'filed' }>

/** Accounts whose message is looked for. */
const accountsMax = 1000

export class Whereabouts {
  readonly #store: AdminContext['store']
  readonly #signal: AbortSignal
  /** Accounts that may still be searched whole; of others it is only known whether the message lies where it came. */
  #searches = 20

  constructor({ store }: AdminContext, signal: AbortSignal) {
    this.#store = store
    this.#signal = signal
  }

  /** For each account for which it was filed; those of which it is not known are left out. */
  async of({ id, events }: Journey): Promise<Kept[]> {
    const kept: Kept[] = []
    const filed = events.filter((event) => event.kind === 'filed')
    for (const [login, filings] of [...Map.groupBy(filed, (event) => event.login)].slice(0, accountsMax)) {
      this.#signal.throwIfAborted()
      const account = await this.#store.directory.accountByLogin(login)
      const places = account ? await this.#places(id, account.id, filings) : []
      if (places) kept.push({ login, places })
    }
    return kept
  }

  async #places(
    journey: JourneyId,
    account: AccountId,
    filings: readonly Filed[],
  ): Promise<Kept['places'] | undefined> {
    const mailboxes = await this.#store.mail.mailboxes(account)
    const asFiled: Kept['places'] = []
    for (const { mailbox: name, uid } of filings) {
      const mailbox = mailboxes.find((each) => each.name === name)
      if (mailbox) asFiled.push(...(await this.#placesIn(mailbox, UidSet.of(uid), journey)))
    }
    if (asFiled.length === filings.length) return asFiled
    if (this.#searches-- <= 0) return undefined
    const places: Kept['places'] = []
    for (const mailbox of mailboxes) {
      if (mailbox.messages === 0) continue
      places.push(...(await this.#placesIn(mailbox, UidSet.ofRanges([[1, mailbox.uidNext - 1]]), journey)))
    }
    return places
  }

  async #placesIn({ id, name }: Mailbox, within: UidSet, journey: JourneyId): Promise<Kept['places']> {
    const places: Kept['places'] = []
    for await (const page of this.#store.mail.fetch(id, within, { journey: true }, this.#signal)) {
      for (const { uid, journey: own } of page) if (own === journey) places.push({ mailbox: name, uid })
    }
    return places
  }
}

import type { MailboxId } from '@pennypost/model'
import type { Session } from '../session/session.ts'

/**
 * What the session has done itself since it was last told of others: RFC 5465 §5 wants it left out. Commands and the
 * telling take turns, so that all of it can be read when the session is told next.
 */
export class OwnChanges {
  /** UIDs that came into the selected mailbox. */
  readonly uids = new Set<number>()
  /** Messages that came or went, and UIDNEXT behind them. */
  readonly counts = new Map<MailboxId, { messages: number; uidNext: number }>()
  /** MODSEQ at which an entry was set. */
  readonly annotations = new Map<MailboxId, Map<string, number>>()
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  get any(): boolean {
    return [this.uids, this.counts, this.annotations].some(({ size }) => size > 0)
  }

  /** Those in which it has done something. */
  get mailboxes(): Set<MailboxId> {
    return new Set([...this.counts.keys(), ...this.annotations.keys()])
  }

  /** @param uids of messages that it has put there, rising */
  added(mailbox: MailboxId, uids: Iterable<number>): void {
    const { view } = this.#session
    const isSelected = view?.open.mailbox.id === mailbox
    let [count, last] = [0, 0]
    for (const uid of uids) {
      if (isSelected) this.uids.add(uid)
      count++
      last = uid
    }
    this.#count(mailbox, count, last + 1)
    if (isSelected && count > 0) view.told.own = { messages: view.told.own.messages + count, uidNext: last + 1 }
  }

  removed(mailbox: MailboxId, count: number): void {
    this.#count(mailbox, -count, 0)
  }

  #count(mailbox: MailboxId, messages: number, uidNext: number): void {
    if (messages === 0) return
    const known = this.counts.get(mailbox) ?? { messages: 0, uidNext: 0 }
    this.counts.set(mailbox, {
      messages: known.messages + messages,
      uidNext: Math.max(known.uidNext, uidNext),
    })
  }

  annotated(mailbox: MailboxId, entry: string, modSeq: number): void {
    const known = this.annotations.get(mailbox)
    if (known) known.set(entry, modSeq)
    else this.annotations.set(mailbox, new Map([[entry, modSeq]]))
  }

  clear(): void {
    for (const each of [this.uids, this.counts, this.annotations]) each.clear()
  }
}

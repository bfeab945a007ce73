import type { MailboxId } from '@pennypost/model'

/**
 * What the session has done itself since it was last told of others: RFC 5465 §5 wants it left out. Commands and the
 * telling take turns, so that all of it can be read when the session is told next.
 */
export class OwnChanges {
  /** UIDs that came into the selected mailbox. */
  readonly uids = new Set<number>()
  /** Names made, deleted or renamed. */
  readonly names = new Set<string>()
  readonly subscriptions = new Set<string>()
  /** Messages that came or went, and UIDNEXT behind them. */
  readonly counts = new Map<MailboxId, { messages: number; uidNext: number }>()
  /** MODSEQ at which an entry was set. */
  readonly annotations = new Map<MailboxId, Map<string, number>>()

  get any(): boolean {
    return [this.uids, this.names, this.subscriptions, this.counts, this.annotations].some(({ size }) => size > 0)
  }

  /** Among them names, or subscriptions. */
  get ofNames(): boolean {
    return this.names.size > 0 || this.subscriptions.size > 0
  }

  /** Those in which it has done something. */
  get mailboxes(): Set<MailboxId> {
    return new Set([...this.counts.keys(), ...this.annotations.keys()])
  }

  addMessages(mailbox: MailboxId, messages: number, uidNext: number): void {
    const known = this.counts.get(mailbox) ?? { messages: 0, uidNext: 0 }
    this.counts.set(mailbox, {
      messages: known.messages + messages,
      uidNext: Math.max(known.uidNext, uidNext),
    })
  }

  clear(): void {
    for (const each of [this.uids, this.names, this.subscriptions, this.counts, this.annotations]) each.clear()
  }
}

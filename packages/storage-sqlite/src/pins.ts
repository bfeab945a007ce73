import type { MailboxId } from '@pennypost/model'

/**
 * Which mailboxes are pinned: what is expunged from them is kept readable as ghosts. A job knows of the pins that were
 * there when it was sent; `settled` lets a snapshot wait for jobs that were sent without the pin of its session.
 */
export class Pins {
  readonly #counts = new Map<MailboxId, number>()
  readonly #removals = new Map<MailboxId, Set<Promise<unknown>>>()
  readonly #onUnpinned: (mailbox: MailboxId) => void

  constructor(onUnpinned: (mailbox: MailboxId) => void) {
    this.#onUnpinned = onUnpinned
  }

  pin(mailbox: MailboxId): Disposable {
    this.#counts.set(mailbox, (this.#counts.get(mailbox) ?? 0) + 1)
    let held = true
    return {
      [Symbol.dispose]: () => {
        if (!held) return
        held = false
        const left = (this.#counts.get(mailbox) ?? 1) - 1
        if (left > 0) {
          this.#counts.set(mailbox, left)
          return
        }
        this.#counts.delete(mailbox)
        this.#onUnpinned(mailbox)
      },
    }
  }

  has(mailbox: MailboxId): boolean {
    return this.#counts.has(mailbox)
  }

  all(): MailboxId[] {
    return [...this.#counts.keys()]
  }

  /** Runs a job that takes messages out of the mailbox. */
  async removing<Result>(mailbox: MailboxId, job: (pinned: boolean) => Promise<Result>): Promise<Result> {
    const pinned = this.has(mailbox)
    const running = job(pinned)
    if (pinned) return running
    const removals = this.#removals.get(mailbox) ?? new Set()
    this.#removals.set(mailbox, removals)
    removals.add(running)
    try {
      return await running
    } finally {
      removals.delete(running)
      if (removals.size === 0) this.#removals.delete(mailbox)
    }
  }

  /** When jobs that began without a pin are done; undefined when there are none. */
  settled(mailbox: MailboxId): Promise<unknown> | undefined {
    const removals = this.#removals.get(mailbox)
    return removals && this.has(mailbox) ? Promise.allSettled(removals) : undefined
  }
}

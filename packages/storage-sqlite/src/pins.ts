import type { MailboxId, ModSeq } from '@pennypost/model'

/**
 * Which mailboxes are pinned, each pin since which MODSEQ: what is expunged later is kept readable as ghosts. A job
 * knows of the pins that were there when it was sent; `settled` lets a snapshot wait for jobs that were sent without
 * the pin of its session.
 */
export class Pins {
  readonly #pins = new Map<MailboxId, Set<{ since: ModSeq }>>()
  readonly #removals = new Map<MailboxId, Set<Promise<unknown>>>()
  /** Releases that are under way. */
  readonly #releases = new Set<Promise<unknown>>()
  readonly #release: (mailbox: MailboxId) => Promise<unknown>

  /** `release` forgets what was expunged and no pin of the mailbox needs any more; it never rejects. */
  constructor(release: (mailbox: MailboxId) => Promise<unknown>) {
    this.#release = release
  }

  pin(mailbox: MailboxId, since: ModSeq): Disposable {
    const own = this.#pins.get(mailbox) ?? new Set()
    this.#pins.set(mailbox, own)
    const pin = { since }
    own.add(pin)
    return {
      [Symbol.dispose]: () => {
        if (!own.delete(pin)) return
        if (own.size === 0) this.#pins.delete(mailbox)
        const needed = this.since(mailbox) ?? Number.MAX_SAFE_INTEGER
        if (needed > since) this.#begin(this.#release(mailbox))
      },
    }
  }

  /** Expunges after this MODSEQ are readable; undefined when the mailbox has no pin. */
  since(mailbox: MailboxId): number | undefined {
    const own = this.#pins.get(mailbox)
    if (!own) return undefined
    let since = Number.MAX_SAFE_INTEGER
    for (const pin of own) since = Math.min(since, pin.since)
    return since
  }

  /** Runs a job that takes messages out of the mailbox. */
  async removing<Result>(mailbox: MailboxId, job: (pinned: boolean) => Promise<Result>): Promise<Result> {
    const pinned = this.#pins.has(mailbox)
    const running = job(pinned)
    if (pinned) return this.#keeping(mailbox, running)
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

  /** What the job keeps for a pin is released when the pin has ended before the job. */
  async #keeping<Result>(mailbox: MailboxId, running: Promise<Result>): Promise<Result> {
    try {
      return await running
    } finally {
      if (!this.#pins.has(mailbox)) this.#begin(this.#release(mailbox))
    }
  }

  /** When jobs that began without a pin are done; undefined when there are none. */
  settled(mailbox: MailboxId): Promise<unknown> | undefined {
    const removals = this.#removals.get(mailbox)
    return removals && this.#pins.has(mailbox) ? Promise.allSettled(removals) : undefined
  }

  /** When what nobody pins any more is gone; undefined when nothing is being released. */
  released(): Promise<unknown> | undefined {
    return this.#releases.size > 0 ? Promise.allSettled(this.#releases) : undefined
  }

  #begin(release: Promise<unknown>): void {
    this.#releases.add(release)
    // It never rejects: see the constructor.
    void release.finally(() => this.#releases.delete(release))
  }
}

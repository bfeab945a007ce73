import type { AccountId, Log, Mailbox, MailboxId, MailStore, ModSeq } from '@pennypost/model'
import type { ImapLimits } from '../limits.ts'
import { OpenMailbox } from './open-mailbox.ts'

/** How much is kept of mailboxes that no session has open any more. */
type WarmLimits = Pick<ImapLimits, 'warmMailboxes' | 'warmMessages'>

/**
 * The mailboxes that this process has open, each loaded once however many sessions use it, and one watch for each
 * owning account, by which change log and wakes go. What its last session has left stays warm, so that
 * the next SELECT costs what changed since; the ones left longest ago go first when there are too many.
 */
export class OpenMailboxes {
  readonly #mail: MailStore
  readonly #log: Log
  readonly #limits: WarmLimits
  /** One for the owner of each mailbox, and one for each other that looks in. */
  readonly #entries = new Map<MailboxId, Entry[]>()
  #count = 0
  /** Those of them that no session uses, in the order in which they were left. */
  readonly #warm = new Set<Entry>()
  #warmMessages = 0
  readonly #owners = new Map<AccountId, Owner>()

  constructor(mail: MailStore, log: Log, limits: WarmLimits) {
    this.#mail = mail
    this.#log = log
    this.#limits = limits
  }

  /**
   * The mailbox, current as of the call; `found` is its row as just read, `viewer` who looks into it, when that is not
   * the owner. Pair it with `release`. Rejects with `no-such-mailbox`.
   */
  async open(found: Mailbox, viewer?: AccountId): Promise<OpenMailbox> {
    const { id, account: owner } = found
    // What a viewer could not read any more stays that for whoever had it open, also when the right is given again.
    let entry = this.#entries.get(id)?.find((known) => known.viewer === viewer && !known.open?.deleted)
    if (!entry) {
      // Watched before it is loaded, so that no commit falls between the two.
      this.#watch(owner, id)
      const loading = OpenMailbox.load(this.#mail, id, viewer)
      entry = { id, viewer, users: 0, owner, loading, open: undefined, missed: false, warm: 0 }
      this.#entries.set(id, [...(this.#entries.get(id) ?? []), entry])
      this.#count++
    }
    this.#warmed(entry, -1)
    entry.users++
    try {
      const open = (entry.open ??= await entry.loading)
      // A wake may be late, the row is not.
      if (entry.missed || open.dirty || open.modSeq < found.highestModSeq || open.uidNext < found.uidNext) {
        entry.missed = false
        await open.refresh()
      }
      return open
    } catch (error) {
      this.#leave(entry)
      throw error
    }
  }

  release(open: OpenMailbox): void {
    const entry = this.#entries.get(open.mailbox.id)?.find((known) => known.open === open)
    if (entry) this.#leave(entry)
  }

  /** UIDs from here on are \\Recent to nobody yet, as sessions know before the store does; 0 when none has it open. */
  recentFrom(id: MailboxId): number {
    return Math.max(0, ...(this.#entries.get(id) ?? []).map(({ open }) => open?.recentFrom ?? 0))
  }

  /**
   * Something has changed in the mailbox: by a verb of this process, whose wake may be late, or as a wake says, perhaps
   * with the highest MODSEQ since.
   */
  touch(id: MailboxId, modSeq?: ModSeq): void {
    const onError = (error: unknown) => this.#log.warn({ mailbox: id, err: error }, 'changes could not be read')
    for (const entry of this.#entries.get(id) ?? []) {
      if (entry.open) entry.open.wake(modSeq, onError)
      else entry.missed = true
    }
  }

  /** How many are open in sessions, for metrics and tests. */
  get size(): number {
    return this.#count - this.#warm.size
  }

  #leave(entry: Entry): void {
    if (--entry.users > 0) return
    if (!entry.open || entry.open.deleted) {
      this.#forget(entry)
      return
    }
    entry.open.rest()
    this.#warmed(entry, entry.open.count)
    for (const oldest of this.#warm) {
      if (this.#warm.size <= this.#limits.warmMailboxes && this.#warmMessages <= this.#limits.warmMessages) return
      this.#warmed(oldest, -1)
      this.#forget(oldest)
    }
  }

  /** Counts it among the warm ones with so many messages; -1: no longer. */
  #warmed(entry: Entry, messages: number): void {
    if (this.#warm.delete(entry)) this.#warmMessages -= entry.warm
    if (messages < 0) return
    entry.warm = messages
    this.#warm.add(entry)
    this.#warmMessages += messages
  }

  #forget(entry: Entry): void {
    const others = (this.#entries.get(entry.id) ?? []).filter((other) => other !== entry)
    this.#count--
    if (others.length > 0) {
      this.#entries.set(entry.id, others)
      return
    }
    this.#entries.delete(entry.id)
    const owner = this.#owners.get(entry.owner)
    owner?.mailboxes.delete(entry.id)
    if (owner?.mailboxes.size === 0) {
      owner.watch[Symbol.dispose]()
      this.#owners.delete(entry.owner)
    }
  }

  #watch(account: AccountId, id: MailboxId): void {
    let owner = this.#owners.get(account)
    if (!owner) {
      const mailboxes = new Set<MailboxId>()
      const watch = this.#mail.watch(account, (touched) => {
        for (const mailbox of touched?.keys() ?? mailboxes) {
          if (mailboxes.has(mailbox)) this.touch(mailbox, touched?.get(mailbox))
        }
      })
      owner = { watch, mailboxes }
      this.#owners.set(account, owner)
    }
    owner.mailboxes.add(id)
  }
}

interface Entry {
  id: MailboxId
  viewer: AccountId | undefined
  users: number
  owner: AccountId
  loading: Promise<OpenMailbox>
  open: OpenMailbox | undefined
  /** A wake came while it was loaded. */
  missed: boolean
  /** As how many messages it counts while no session uses it. */
  warm: number
}

interface Owner {
  watch: Disposable
  mailboxes: Set<MailboxId>
}

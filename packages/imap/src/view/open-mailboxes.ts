import type { AccountId, Log, MailboxId, MailStore } from '@pennypost/model'
import { OpenMailbox } from './open-mailbox.ts'

/**
 * The mailboxes that this process has open, each loaded once however many sessions use it, and one watch for each
 * owning account (DESIGN §5: log and wake are keyed by the owner). Closed when its last session leaves it.
 */
export class OpenMailboxes {
  readonly #mail: MailStore
  readonly #log: Log
  readonly #entries = new Map<MailboxId, Entry>()
  readonly #owners = new Map<AccountId, Owner>()

  constructor(mail: MailStore, log: Log) {
    this.#mail = mail
    this.#log = log
  }

  /** The mailbox, current as of the call. Pair it with `release`. Rejects with `no-such-mailbox`. */
  async open(id: MailboxId, owner: AccountId): Promise<OpenMailbox> {
    let entry = this.#entries.get(id)
    if (!entry) {
      // Watched before it is loaded, so that no commit falls between the two.
      this.#watch(owner, id)
      entry = { users: 0, owner, loading: OpenMailbox.load(this.#mail, id), open: undefined, missed: false }
      this.#entries.set(id, entry)
    }
    entry.users++
    try {
      const open = entry.open ?? (await entry.loading)
      const first = entry.open === undefined
      entry.open = open
      if (!first || entry.missed) {
        entry.missed = false
        await open.refresh()
      }
      return open
    } catch (error) {
      this.#leave(id, entry)
      throw error
    }
  }

  release(open: OpenMailbox): void {
    const id = open.mailbox.id
    const entry = this.#entries.get(id)
    if (entry) this.#leave(id, entry)
  }

  /** A verb of this process has changed the mailbox: seen by every session's next command, whenever the wake comes. */
  touch(id: MailboxId): void {
    this.#wake(id)
  }

  /** How many are open, for metrics and tests. */
  get size(): number {
    return this.#entries.size
  }

  #leave(id: MailboxId, entry: Entry): void {
    if (--entry.users > 0) return
    this.#entries.delete(id)
    const owner = this.#owners.get(entry.owner)
    owner?.mailboxes.delete(id)
    if (owner?.mailboxes.size === 0) {
      owner.watch[Symbol.dispose]()
      this.#owners.delete(entry.owner)
    }
  }

  #watch(account: AccountId, id: MailboxId): void {
    let owner = this.#owners.get(account)
    if (!owner) {
      const mailboxes = new Set<MailboxId>()
      const watch = this.#mail.watch(account, () => {
        for (const mailbox of mailboxes) this.#wake(mailbox)
      })
      owner = { watch, mailboxes }
      this.#owners.set(account, owner)
    }
    owner.mailboxes.add(id)
  }

  #wake(id: MailboxId): void {
    const entry = this.#entries.get(id)
    if (!entry) return
    if (!entry.open) entry.missed = true
    else entry.open.wake((error) => this.#log.warn({ mailbox: id, error: String(error) }, 'changes could not be read'))
  }
}

interface Entry {
  users: number
  owner: AccountId
  loading: Promise<OpenMailbox>
  open: OpenMailbox | undefined
  /** A wake came while it was loaded. */
  missed: boolean
}

interface Owner {
  watch: Disposable
  mailboxes: Set<MailboxId>
}

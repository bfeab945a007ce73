/** Who is woken after a commit: by account for mailboxes, and the queue. A wake says where something changed, not what. */
import type { AccountId, MailboxId, MailStore, ModSeq } from '@pennypost/model'
import type { GroupReply } from './writer/protocol.ts'

type OnWake = Parameters<MailStore['watch']>[1]

export class Watchers {
  readonly #accounts = new Map<number, Set<OnWake>>()
  readonly #queue = new Set<() => void>()

  watchAccount(account: AccountId, onWake: OnWake): Disposable {
    const own = this.#accounts.get(account) ?? new Set()
    this.#accounts.set(account, own)
    // One entry for each call, though two give the same function.
    const wake: OnWake = (touched) => onWake(touched)
    own.add(wake)
    return {
      [Symbol.dispose]: () => {
        own.delete(wake)
        if (own.size === 0 && this.#accounts.get(account) === own) this.#accounts.delete(account)
      },
    }
  }

  watchQueue(onWake: () => void): Disposable {
    const wake = () => onWake()
    this.#queue.add(wake)
    return {
      [Symbol.dispose]: () => {
        this.#queue.delete(wake)
      },
    }
  }

  wake({ accounts, mailboxes, queue }: Pick<GroupReply, 'accounts' | 'mailboxes' | 'queue'>): void {
    const woken = new Map<number, Map<MailboxId, ModSeq> | undefined>()
    for (const [mailbox, [account, modSeq]] of mailboxes) {
      if (!this.#accounts.has(account)) continue
      const touched = woken.get(account) ?? new Map<MailboxId, ModSeq>()
      woken.set(account, touched.set(mailbox as MailboxId, modSeq as ModSeq))
    }
    for (const account of accounts) woken.set(account, undefined)
    for (const [account, touched] of woken) for (const wake of this.#accounts.get(account) ?? []) wake(touched)
    if (queue) for (const wake of this.#queue) wake()
  }
}

/** Who is woken after a commit: by account for mailboxes, and the queue. A wake says where something changed, not what. */
import type { AccountId, MailboxId, MailStore } from '@pennypost/model'
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
    const woken = new Map<number, MailboxId[] | undefined>()
    for (const [mailbox, account] of mailboxes) {
      const touched = woken.get(account)
      if (touched) touched.push(mailbox as MailboxId)
      else if (this.#accounts.has(account)) woken.set(account, [mailbox as MailboxId])
    }
    for (const account of accounts) woken.set(account, undefined)
    for (const [account, touched] of woken) for (const wake of this.#accounts.get(account) ?? []) wake(touched)
    if (queue) for (const wake of this.#queue) wake()
  }
}

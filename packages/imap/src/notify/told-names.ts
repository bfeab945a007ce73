import type { MailboxId } from '@pennypost/model'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import type { HierarchyName } from '../list/hierarchy.ts'
import type { Names } from './compare-names.ts'

/**
 * Names of mailboxes, and what is in those, as the session knows them: as it was told, and as it has made them itself
 * since, which it is not told (RFC 5465 §5).
 */
export class ToldNames {
  #names = new Map<string, HierarchyName>()
  #byId = new Map<MailboxId, HierarchyName>()

  get all(): Names {
    return this.#names
  }

  byId(id: MailboxId): HierarchyName | undefined {
    return this.#byId.get(id)
  }

  /** All of it as it is now. */
  learn(names: Map<string, HierarchyName>): void {
    this.#names = names
    this.#byId = new Map()
    for (const name of names.values()) if (name.mailbox) this.#byId.set(name.mailbox.id, name)
  }

  // --- what the session has done itself ---

  created(mailbox: VisibleMailbox): void {
    const name = this.#at(mailbox.name)
    // What had the name is gone, of which the client has not heard yet.
    if (name.mailbox) return
    name.mailbox = mailbox
    this.#byId.set(mailbox.id, name)
  }

  deleted(name: string): void {
    const known = this.#names.get(name)
    if (!known?.mailbox) return
    this.#byId.delete(known.mailbox.id)
    known.mailbox = undefined
  }

  /** With all that lies below it. */
  renamed(from: string, to: string): void {
    const moved: VisibleMailbox[] = []
    for (const { name, mailbox } of this.#names.values()) {
      if (!mailbox || !`${name}/`.startsWith(`${from}/`)) continue
      moved.push({ ...mailbox, name: to + name.slice(from.length) })
      this.deleted(name)
    }
    for (const mailbox of moved) this.created(mailbox)
  }

  subscribed(name: string, subscribed: boolean): void {
    this.#at(name).subscribed = subscribed
  }

  #at(name: string): HierarchyName {
    let known = this.#names.get(name)
    if (!known) this.#names.set(name, (known = absent(name)))
    return known
  }
}

/** A name that nothing has. */
export function absent(name: string): HierarchyName {
  return { name, mailbox: undefined, subscribed: false, inHierarchy: false, hasChildren: undefined }
}

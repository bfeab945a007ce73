/** New messages of the selected mailbox with the items that the client wants of each; asked by NOTIFY and by UPDATE. */
import { UidSet } from '@pennypost/model'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { changedFlags, uidItem } from '../fetch/items.ts'
import { runFetch } from '../fetch/run-fetch.ts'
import type { Session } from '../session/session.ts'
import { sayWithheld } from '../session/tell-changes.ts'

export class Arrivals {
  readonly #wanted = new Map<readonly FetchItem[], UidSet>()

  get any(): boolean {
    return this.#wanted.size > 0
  }

  add(uids: UidSet, items: readonly FetchItem[]): void {
    if (items.length === 0 || uids.isEmpty) return
    this.#wanted.set(items, uids.union(this.#wanted.get(items) ?? UidSet.empty))
  }

  /** Takes in what others have, and leaves them empty. */
  take(others: Arrivals): void {
    for (const [items, uids] of others.#wanted) this.add(uids, items)
    others.#wanted.clear()
  }

  /** Says one FETCH response for each message with all that is wanted of it (RFC 5465 §5.2). `except`: nothing of those. */
  async tell(session: Session, except: ReadonlySet<number> = new Set()): Promise<void> {
    const wanted = [...this.#wanted]
    this.#wanted.clear()
    let all = UidSet.empty
    for (const [, uids] of wanted) all = all.union(uids)
    /** By which of the wishes mean them. */
    const groups = new Map<string, number[]>()
    for (const uid of all) {
      if (except.has(uid)) continue
      const which = wanted.flatMap(([, uids], index) => (uids.has(uid) ? [index] : [])).join()
      const group = groups.get(which)
      if (group) group.push(uid)
      else groups.set(which, [uid])
    }
    for (const [which, uids] of groups) {
      const items = new Map<string, FetchItem>()
      // RFC 7162 §3.2.4: nobody has asked for this response by a FETCH.
      const keepsModSeqs = session.enabled.has('CONDSTORE')
      if (keepsModSeqs) items.set(uidItem.key, uidItem)
      for (const index of which.split(',')) for (const item of wanted[Number(index)]![0]) items.set(item.key, item)
      if (keepsModSeqs && items.has(changedFlags.key)) {
        items.set(changedFlags.key, changedFlags)
        items.delete('MODSEQ')
      }
      if (session.view) await runFetch(session, UidSet.ofSorted(uids), [...items.values()])
    }
    if (session.view) sayWithheld(session, session.view)
  }
}

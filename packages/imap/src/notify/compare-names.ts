/** What became of mailbox names between two looks of NOTIFY: a pure comparison, called by `OtherMailboxes`. */
import { type MailboxId, superiors } from '@pennypost/model'
import type { HierarchyName } from '../list/hierarchy.ts'

export type Names = ReadonlyMap<string, HierarchyName>

export interface NameChanges {
  /**
   * New names with the old ones; what only moved along with its superior is not among them (RFC 5465 §5.4). A name that was
   * freed and given again comes first with what freed it.
   */
  renamed: ReadonlyMap<string, string>
  /** Names made or deleted, and the names right above those. */
  affected: ReadonlySet<string>
  /** Mailboxes that had no names below them and have some now, or the other way round. */
  parents: ReadonlySet<string>
}

/** Mailboxes are known by their ids. */
export function compareNames(before: Names, now: Names): NameChanges {
  const oldNames = namesById(before)
  const newNames = namesById(now)
  const moved = new Map<string, string>()
  const affected = new Set<string>()
  const affect = (name: string): void => {
    affected.add(name)
    const above = superiors(name).at(-1)
    if (above !== undefined) affected.add(above)
  }
  for (const [id, name] of newNames) {
    const old = oldNames.get(id)
    if (old === undefined) affect(name)
    else if (old !== name) moved.set(name, old)
  }
  for (const [id, name] of oldNames) if (!newNames.has(id)) affect(name)
  const movedAlong = (name: string, old: string): boolean =>
    superiors(name).some((superior) => {
      const above = moved.get(superior)
      return above !== undefined && old === above + name.slice(superior.length)
    })
  const parents = new Set<string>()
  for (const { name, mailbox, hasChildren } of now.values()) {
    const old = mailbox && before.get(name)
    if (old?.mailbox && old.hasChildren !== hasChildren) parents.add(name)
  }
  const renamed = new Map([...moved].filter(([name, old]) => !movedAlong(name, old)))
  return { renamed: freedFirst(renamed), affected, parents }
}

/**
 * Who takes one after the other drops an old name with all that lies below it, which must not be what another mailbox is called
 * by now; and moves along what lies below, unless that has moved already.
 */
function freedFirst(renamed: ReadonlyMap<string, string>): Map<string, string> {
  const newNames = new Map(Array.from(renamed, ([name, old]) => [old, name]))
  const earlier = new Map<string, string[]>(Array.from(renamed.keys(), (name) => [name, []]))
  for (const [name, old] of renamed) {
    for (const freed of [name, ...superiors(name)]) {
      const freeing = newNames.get(freed)
      if (freeing !== undefined && freeing !== name) earlier.get(name)?.push(freeing)
    }
    for (const above of superiors(old)) earlier.get(newNames.get(above) ?? '')?.push(name)
  }
  const ordered = new Map<string, string>()
  const begun = new Set<string>()
  const waiting = [...renamed.keys()].reverse()
  for (let name = waiting.at(-1); name !== undefined; name = waiting.at(-1)) {
    // Where names went round in a circle, there is no such order.
    const first = begun.has(name) ? [] : (earlier.get(name) ?? []).filter((each) => !begun.has(each))
    begun.add(name)
    if (first.length > 0) waiting.push(...first)
    else {
      waiting.pop()
      ordered.set(name, renamed.get(name) as string)
    }
  }
  return ordered
}

function namesById(names: Names): Map<MailboxId, string> {
  const byId = new Map<MailboxId, string>()
  for (const { name, mailbox } of names.values()) if (mailbox) byId.set(mailbox.id, name)
  return byId
}

/**
 * Rights on mailboxes (RFC 4314 §2.1), the same in every engine: a set of letters, written in the order of `allRights`.
 * The obsolete `c` and `d` are a spelling on the wire, read and shown here, never kept.
 */
import type { AccountId } from '../ids.ts'

/** Letters of `allRights`, in its order, each once; '' for none. */
export type Rights = string
export type Right = 'l' | 'r' | 's' | 'w' | 'i' | 'p' | 'k' | 'x' | 't' | 'e' | 'a'

export const allRights: Rights = 'lrswipkxtea'
/** RFC 4314 §2.1.1: what the obsolete rights stand for. */
const obsolete: readonly (readonly [right: string, members: string])[] = [
  ['c', 'kx'],
  ['d', 'te'],
]

/** Reads rights in any order, with `c` and `d`; undefined when one is not known. */
export function parseRights(text: string): Rights | undefined {
  let expanded = text
  for (const [right, members] of obsolete) if (text.includes(right)) expanded += members
  if ([...text].some((right) => !allRights.includes(right) && !obsolete.some(([old]) => old === right)))
    return undefined
  return ordered(expanded)
}

/** As the wire wants them: with `c` and `d` where any of their members is. */
export function showRights(rights: Rights): string {
  const old = obsolete.filter(([, members]) => [...members].some((right) => rights.includes(right)))
  return rights + old.map(([right]) => right).join('')
}

function rightsUnion(a: Rights, b: Rights): Rights {
  return ordered(a + b)
}

function rightsWithout(a: Rights, b: Rights): Rights {
  return [...a].filter((right) => !b.includes(right)).join('')
}

function ordered(rights: string): Rights {
  return [...allRights].filter((right) => rights.includes(right)).join('')
}

/** Whom rights are given: one account, or all that there are. */
export type Grantee = AccountId | 'anyone'

/** RFC 4314 §2: negative rights are taken from what others give. */
export interface AclEntry {
  grantee: Grantee
  negative: boolean
  rights: Rights
}

/** What entries make of it for one account that is not the owner; owners have all rights, whatever entries there are. */
export function rightsOf(account: AccountId, entries: Iterable<AclEntry>): Rights {
  let given = ''
  let taken = ''
  for (const { grantee, negative, rights } of entries) {
    if (grantee !== 'anyone' && grantee !== account) continue
    if (negative) taken += rights
    else given += rights
  }
  return rightsWithout(ordered(given), taken)
}

/** How a change of one entry turns out. */
export function changedRights(before: Rights, mode: 'replace' | 'add' | 'remove', rights: Rights): Rights {
  if (mode === 'replace') return rights
  return mode === 'add' ? rightsUnion(before, rights) : rightsWithout(before, rights)
}

/** Which flags of a message rights let an account set (RFC 4314 §4). */
export interface FlagKinds {
  seen: boolean
  deleted: boolean
  others: boolean
}

export function flagKinds(rights: Rights): FlagKinds {
  return { seen: rights.includes('s'), deleted: rights.includes('t'), others: rights.includes('w') }
}

/**
 * The few steps that all verbs on mailboxes are made of: put a copy in, take one out, find places for keywords.
 * None of them can fail, so that a transaction that has passed its checks is done as a whole.
 */
import { bitsOf, type Flag, firstKeywordBit, hasBit, isKeyword, maxKeywords, systemFlags } from '../flags.ts'
import { type ModSeq, type Uid, uid } from '../ids.ts'
import { uidlOf } from '../rules/uidl.ts'
import { accountUsage, release, retain } from './content.ts'
import type { AccountRow, FilingRow, MailboxRow, State } from './state.ts'
import { refuse } from './state.ts'

/** What a new copy is, before its mailbox gives it a UID. */
export type NewRow = Omit<FilingRow, 'uid' | 'modSeq' | 'uidl' | 'flags'> & { flags: readonly Flag[]; uidl?: string }

export function addFiling(mailbox: MailboxRow, row: NewRow, modSeq: ModSeq): FilingRow {
  const given = mailbox.uidNext
  mailbox.uidNext = uid(given + 1)
  makePlaces(mailbox, row.flags)
  const filing: FilingRow = {
    ...row,
    uid: given,
    uidl: row.uidl ?? uidlOf(mailbox.uidValidity, given),
    flags: bitsOf(row.flags, mailbox.keywords),
    modSeq,
  }
  retain(filing.message)
  mailbox.filings.set(given, filing)
  return filing
}

/** Takes copies out: they go into the log of expunges, and pins keep them readable. */
export function removeFilings(state: State, mailbox: MailboxRow, uids: Iterable<Uid>, modSeq: ModSeq): void {
  for (const uid of uids) {
    const filing = mailbox.filings.get(uid)
    if (!filing) continue
    mailbox.filings.delete(uid)
    for (const seen of mailbox.seen.values()) seen.delete(uid)
    mailbox.expunged.push({ uid, modSeq })
    for (const pin of state.pins) {
      if (pin.mailbox !== mailbox) continue
      pin.kept.set(uid, filing)
      retain(filing.message)
    }
    release(state, filing.message)
  }
  const forgotten = mailbox.expunged.splice(0, mailbox.expunged.length - state.limits.expungesPerMailbox)
  mailbox.expungeFloor = forgotten.at(-1)?.modSeq ?? mailbox.expungeFloor
}

/**
 * Gives each new keyword a place: behind the others, or else the first place whose keyword no message bears.
 * A keyword that finds none is left out: no letter is refused for a label.
 */
export function makePlaces(mailbox: MailboxRow, flags: readonly Flag[]): void {
  for (const [place, keyword] of newPlaces(mailbox, flags).given) mailbox.keywords[place] = keyword
}

/** For STORE, which has to say so when a keyword finds no place. */
export function requirePlaces(mailbox: MailboxRow, flags: readonly Flag[]): void {
  if (newPlaces(mailbox, flags).left > 0) {
    refuse('limit', `The mailbox has no place for more than ${maxKeywords} different keywords.`)
  }
}

function newPlaces(mailbox: MailboxRow, flags: readonly Flag[]): { given: Map<number, string>; left: number } {
  const known = new Set(mailbox.keywords.map((keyword) => keyword.toLowerCase()))
  const wanted = new Set<string>()
  const given = new Map<number, string>()
  let left = 0
  for (const keyword of flags) {
    const folded = keyword.toLowerCase()
    if (!isKeyword(keyword) || known.has(folded) || wanted.has(folded)) continue
    wanted.add(folded)
    const place = freePlace(mailbox, flags, given)
    if (place === undefined) left++
    else given.set(place, keyword)
  }
  return { given, left }
}

function freePlace(mailbox: MailboxRow, wanted: readonly Flag[], taken: ReadonlyMap<number, string>) {
  const kept = new Set(wanted.map((keyword) => keyword.toLowerCase()))
  for (let place = mailbox.keywords.length; place < maxKeywords; place++) if (!taken.has(place)) return place
  for (const [place, keyword] of mailbox.keywords.entries()) {
    if (!taken.has(place) && !kept.has(keyword.toLowerCase()) && !isBorne(mailbox, place)) return place
  }
  return undefined
}

function isBorne(mailbox: MailboxRow, place: number): boolean {
  for (const filing of mailbox.filings.values()) if (hasBit(filing.flags, firstKeywordBit + place)) return true
  return false
}

export const isDeleted = (filing: FilingRow): boolean => (filing.flags & systemFlags['\\Deleted']) !== 0

export function requireQuota(state: State, owner: AccountRow, more: number, quota = owner.account.quota): void {
  if (more > 0 && quota > 0 && accountUsage(state, owner).octets + more > quota) {
    refuse('over-quota', `The account's quota is ${quota} octets.`)
  }
}

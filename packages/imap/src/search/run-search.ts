import {
  countKeys,
  divideQuery,
  matches,
  nextTurn,
  type SearchQuery,
  type SearchSubject,
  searchNeeds,
  UidSet,
} from '@pennypost/model'
import { queryForStore } from '../access/viewer-query.ts'
import type { Completion } from '../command.ts'
import type { SearchFound } from '../extension.ts'
import type { By } from '../grammar/sequence-set.ts'
import type { Session } from '../session/session.ts'

/**
 * The UIDs in the session's view that match. What asks for flags, numbers, MODSEQs, dates or sizes alone is answered out of the
 * shared arrays, also where it is a part of what must all hold; everything else by the store. Messages that are gone
 * match nothing, told of or not. `among`: only these of them.
 */
export async function runSearch(session: Session, query: SearchQuery, among?: UidSet): Promise<UidSet> {
  const { ofRows, ofText } = divideQuery(query)
  const view = session.selected
  const within = ofRows ? await searchKnown(session, ofRows, among) : (among ?? view.all())
  if (!ofText || within.isEmpty) return within
  return session.service.mail.search(view.open.mailbox.id, queryForStore(view.open, ofText), within, session.gone)
}

async function searchKnown(session: Session, query: SearchQuery, among?: UidSet): Promise<UidSet> {
  const { open } = session.selected
  const { lastUid } = session.selected
  const found: number[] = []
  const subject: SearchSubject = { uid: 0, flags: 0, modSeq: 0 }
  const { columns } = open
  const row = { size: 0, internalDate: { at: 0, offsetMinutes: 0 }, savedAt: 0, sentDay: null }
  const needsRow = searchNeeds(query) === 'row'
  if (needsRow) await columns.upToDate()
  const pageSize = Math.ceil((needsRow ? perPage.row : perPage.flags) / countKeys(query))
  let place = -1
  let seen = 0
  for (const [first, last] of among ? among.ranges() : [[1, lastUid] as const]) {
    // By UID, not by index: others may expunge while this rests.
    for (let index = open.lowerBound(first); index < open.count; index++) {
      subject.uid = open.uids[index] as number
      if (subject.uid > Math.min(last, lastUid)) break
      subject.flags = open.flags[index] as number
      subject.modSeq = open.modSeqs[index] as number
      if (needsRow) {
        place = columns.placeOf(subject.uid, place + 1)
        delete subject.row
        if (place >= 0) {
          columns.describe(place, row)
          subject.row = row
        }
      }
      if (matches(query, subject)) found.push(subject.uid)
      if (++seen % pageSize > 0) continue
      await nextTurn()
      index = open.lowerBound(subject.uid + 1) - 1
    }
  }
  return UidSet.ofSorted(found)
}

/** So many flags are looked at in one go, or dates and sizes, each for one key. */
const perPage = { flags: 20_000, row: 4000 }

/**
 * How a command ends that has told message numbers: some may be of messages that are gone, stand for nothing now, or were
 * not found any more, and the client cannot know (RFC 2180 §4.3, RFC 5530 §3).
 */
export async function goneMeanwhile(session: Session): Promise<Completion | undefined> {
  // Whatever the wakes say: the store may have searched what is committed before we hear of it. What cannot be read now is
  // told later: the result was told.
  await session.selected.open.refresh().catch(session.notRead)
  return session.selected.holdsBack ? { code: 'EXPUNGEISSUED', text: 'Some of the messages are gone' } : undefined
}

/** UIDs of a set, or the session's message numbers of them, in order. */
export function* foundNumbers(session: Session, uids: UidSet, by: By): Generator<number> {
  if (by === 'uid') {
    yield* uids
    return
  }
  const view = session.selected
  for (const [first, last] of uids.ranges()) {
    for (let index = view.lowerBound(first); index < view.count && (view.uids[index] as number) <= last; index++) {
      yield index + 1
    }
  }
}

/** The same of a result, in the order of SORT where that was the command. */
export function* resultNumbers(session: Session, { uids, sorted, by }: SearchFound): Generator<number> {
  if (!sorted || by === 'uid') {
    yield* sorted ?? foundNumbers(session, uids, by)
    return
  }
  for (const uid of sorted) {
    const seq = session.selected.seqOf(uid)
    if (seq !== 0) yield seq
  }
}

import { matches, type SearchQuery, type SearchText, searchNeeds, UidSet } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import { breathe } from '../fetch/breathe.ts'
import type { Session } from '../session/session.ts'

/**
 * The UIDs in the session's view that match. What asks for flags, numbers or MODSEQs alone is answered out of the
 * shared arrays; everything else by the store. Messages that are gone match nothing, told of or not.
 */
export function runSearch(session: Session, query: SearchQuery): Promise<UidSet> {
  const view = session.selected
  if (searchNeeds(query) === 'flags') return searchKnown(session, query)
  return session.service.mail.search(view.open.mailbox.id, query, view.all())
}

async function searchKnown(session: Session, query: SearchQuery): Promise<UidSet> {
  const { open } = session.selected
  const { lastUid } = session.selected
  const found: number[] = []
  const subject = { uid: 0, flags: 0, modSeq: 0 }
  // By UID, not by index: others may expunge while this rests.
  for (let index = 0; index < open.count && (open.uids[index] as number) <= lastUid; index++) {
    subject.uid = open.uids[index] as number
    subject.flags = open.flags[index] as number
    subject.modSeq = open.modSeqs[index] as number
    if (matches(query, subject, noText)) found.push(subject.uid)
    if (index % perPage === perPage - 1) {
      await breathe()
      index = open.lowerBound(subject.uid + 1) - 1
    }
  }
  return UidSet.ofSorted(found)
}

const perPage = 20_000

/** Flag searches look into no text. */
const noText: SearchText = {
  fold: (text) => text,
  headerValues: () => [],
  headerText: () => '',
  bodyTexts: () => [],
}

/** UIDs of a set, or the session's message numbers of them, in order. */
export function* foundNumbers(session: Session, uids: UidSet, by: 'sequence' | 'uid'): Generator<number> {
  if (by === 'uid') {
    yield* uids
    return
  }
  const view = session.selected
  let index = 0
  for (const uid of uids) {
    if (view.uids[index] !== uid) index = view.lowerBound(uid)
    if (view.uids[index] === uid) yield ++index
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

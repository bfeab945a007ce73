import { highestUid, type MailboxChanges, type ModSeq, modSeq, nextTurn, UidSet } from '@pennypost/model'
import { noSuchMailbox } from '../access/find-mailbox.ts'
import type { Extension } from '../extension.ts'
import { changedFlags, uidItem } from '../fetch/items.ts'
import { runFetch } from '../fetch/run-fetch.ts'
import { type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { sayWithheld } from '../session/tell-changes.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'
import { enableCondstore } from './condstore.ts'

/**
 * Quick resynchronization: a client that was away is told with SELECT what has gone and what has changed since the
 * MODSEQ that it knows; after that, VANISHED instead of EXPUNGE.
 *
 * Never broken: VANISHED (EARLIER) names no message that the session still counts, and comes before any FETCH.
 */

/** What the client remembers of the mailbox (RFC 7162 §3.2.5). */
interface Remembered {
  uidValidity: number
  modSeq: ModSeq
  /** Absent: every UID that the mailbox has given so far. */
  known: Ranges | undefined
  match: { seqs: Ranges; uids: Ranges } | undefined
}

type Ranges = readonly (readonly [first: number, last: number])[]

/** `uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data]` in parentheses (RFC 7162 §7) */
function remembered(cursor: Cursor): Remembered {
  cursor.sp()
  cursor.expect('(')
  const uidValidity = cursor.nzNumber()
  cursor.sp()
  const since = modSeq(cursor.number64())
  if (since === 0) throw bad('A mod-sequence above 0 expected')
  let known: Ranges | undefined
  let match: Remembered['match']
  if (cursor.skip(' ')) {
    if (cursor.peek() !== '(') known = fixedSet(cursor)
    if (known === undefined || cursor.skip(' ')) {
      cursor.expect('(')
      const seqs = fixedSet(cursor)
      cursor.sp()
      match = { seqs, uids: fixedSet(cursor) }
      cursor.expect(')')
    }
  }
  cursor.expect(')')
  return { uidValidity, modSeq: since, known, match }
}

/** A sequence-set of numbers alone: `*` and `$` mean nothing to a client that was away. */
function fixedSet(cursor: Cursor): Ranges {
  const set = sequenceSet(cursor)
  if (set.saved || set.ranges.some(([, last]) => last === Number.POSITIVE_INFINITY))
    throw bad('* and $ are not allowed')
  return set.ranges
}

/** What it costs goes by what has changed since, not by the size of the mailbox. */
async function resynchronize(session: Session, view: View, client: Remembered): Promise<void> {
  const { open } = view
  if (client.uidValidity !== open.mailbox.uidValidity) return
  const known = UidSet.ofRanges(client.known ?? [[1, Math.max(1, open.uidNext - 1)]])
  const matched = client.match ? matchedUid(view, client.match.seqs, client.match.uids) : 0
  const asked = matched === 0 ? known : known.intersect(UidSet.ofRanges([[matched + 1, highestUid]]))
  const changes = await session.service.mail.changesSince(open.mailbox.id, client.modSeq, open.viewer)
  // What has vanished from it nobody can say any more.
  if (changes.deleted) throw noSuchMailbox()
  await sayVanishedEarlier(session, view, changes, asked)
  const changed = UidSet.ofSorted(changes.uids).intersect(known).intersect(view.all())
  await runFetch(session, changed, [uidItem, changedFlags], { changedSince: client.modSeq })
  // What others did meanwhile is said with these messages, but else waits for the next command.
  sayWithheld(session, view)
}

/**
 * The highest UID up to which the client's numbers still hold: nothing at or below it has gone since (RFC 7162
 * §3.2.5.2). 0 when not even the first pair does.
 */
function matchedUid(view: View, seqs: Ranges, uids: Ranges): number {
  let matched = 0
  const theirs = numbers(uids)
  for (const seq of numbers(seqs)) {
    const uid = theirs.next().value
    if (uid === undefined || seq > view.count || view.uids[seq - 1] !== uid) break
    matched = uid
  }
  return matched
}

function* numbers(ranges: Ranges): Generator<number, undefined> {
  for (const [first, last] of ranges) for (let number = first; number <= last; number++) yield number
}

/** `"VANISHED" SP "(EARLIER)" SP known-uids`: those of `asked` that have gone (RFC 7162 §3.2.10.1), in several where they are many. */
async function sayVanishedEarlier(
  session: Session,
  view: View,
  { vanished }: MailboxChanges,
  asked: UidSet,
): Promise<void> {
  const { out } = session
  let ranges: (readonly [number, number])[] = []
  const say = (): void => session.untagged(`VANISHED (EARLIER) ${UidSet.ofSortedRanges(ranges)}`)
  for (const range of withoutCounted(view, vanished.intersect(asked))) {
    if (ranges.push(range) < rangesPerResponse) continue
    say()
    ranges = []
    await out.ready()
    await nextTurn()
    if (out.gone) return
  }
  if (ranges.length > 0) say()
}

const rangesPerResponse = 5000

/** What went after the view was made is still counted in it, and is told by VANISHED without EARLIER. */
function* withoutCounted(view: View, vanished: UidSet): Generator<readonly [number, number]> {
  for (const [first, last] of vanished.ranges()) {
    let from: number = first
    for (let index = view.lowerBound(first); index < view.count; index++) {
      const uid = view.uids[index] as number
      if (uid > last) break
      if (uid > from) yield [from, uid - 1]
      from = uid + 1
    }
    if (from <= last) yield [from, last]
  }
}

/** The UIDs that a set means, there or not: what is gone lies beyond the last message too. */
function namedUids(view: View, set: SequenceSet): UidSet {
  if (set.saved) return view.saved
  const star = Math.max(1, view.open.uidNext - 1)
  const ranges = set.ranges.map(([first, last]): [number, number] => {
    const low = Math.min(first, star)
    return [low, Math.max(low, Math.min(last, star))]
  })
  return UidSet.ofRanges(ranges)
}

export const qresync: Extension = {
  name: 'QRESYNC',
  rfc: 'RFC 7162',
  requires: ['ENABLE', 'CONDSTORE'],
  capabilities: [{ name: 'QRESYNC' }],
  /** RFC 7162 §3.2.3: implies CONDSTORE. */
  enables: [{ name: 'QRESYNC', apply: enableCondstore }],
  selectParameters: [
    {
      name: 'QRESYNC',
      parse(cursor, session) {
        if (!session.enabled.has('QRESYNC')) throw bad('QRESYNC needs ENABLE QRESYNC first')
        const client = remembered(cursor)
        return (session, view) => resynchronize(session, view, client)
      },
    },
  ],
  fetchModifiers: [
    {
      name: 'VANISHED',
      parse(_, session) {
        if (!session.enabled.has('QRESYNC')) throw bad('VANISHED needs ENABLE QRESYNC first')
        return {
          async before({ session, set, by, changedSince }) {
            if (by !== 'uid' || changedSince === undefined) throw bad('VANISHED needs UID FETCH and CHANGEDSINCE')
            const view = session.selected
            const asked = namedUids(view, set)
            if (asked.isEmpty) return
            const { mailbox, viewer } = view.open
            const changes = await session.service.mail.changesSince(mailbox.id, changedSince, viewer)
            await sayVanishedEarlier(session, view, changes, asked)
          },
        }
      },
    },
  ],
  onExpungeTold(session, _, uids) {
    if (!session.enabled.has('QRESYNC')) return false
    session.untagged(`VANISHED ${UidSet.ofSorted(uids)}`)
    return true
  },
}

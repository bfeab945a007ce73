import { UidSet } from '@pennypost/model'
import type { SearchFound } from '../extension.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import type { Session } from '../session/session.ts'
import { runSort, sortIn } from '../sort/run-sort.ts'
import type { SortCriterion } from '../sort/sort-key.ts'
import type { View } from '../view/view.ts'
import { printQuoted } from '../wire/strings.ts'
import { Arrivals } from './arrivals.ts'
import { inOrder } from './esearch.ts'
import { runSearch } from './run-search.ts'

/**
 * Results that a client keeps, and whose changes it is told as ADDTO and REMOVEFROM (RFC 5267 §4.3). They belong to the
 * view: when the mailbox is left, they are gone.
 *
 * Never broken: a removal by message number is said before the EXPUNGE that ends the number, an addition after the
 * EXISTS that begins it (§4.3.3, §4.3.4); what is said leads from the result that the client has to the one there is,
 * in its order. Only messages that changed are searched again.
 */
export class ResultContexts {
  readonly #kept = new Map<string, Kept>()
  /** One after the other: what was looked for first is said first. */
  #telling: Promise<void> = Promise.resolve()
  /** New messages in results whose client wants items of such. */
  readonly arrivals = new Arrivals()

  get size(): number {
    return this.#kept.size
  }

  has(tag: string): boolean {
    return this.#kept.has(tag)
  }

  /** @param items what is told of new messages that come into it */
  keep(session: Session, found: SearchFound, items: readonly FetchItem[]): void {
    const { uids, sorted, criteria, by, query } = found
    const { told, lastUid } = session.selected
    const order = sorted && criteria ? { criteria, sorted } : undefined
    // What came while it was looked for may be in it or not: it is searched again with the next changes.
    const asOf = { modSeq: told.modSeq, removals: told.removals, lastUid }
    this.#kept.set(session.tag, { by, query, uids, order, items, ...asOf })
  }

  /** False when there is none of that tag. */
  cancel(tag: string): boolean {
    return this.#kept.delete(tag)
  }

  /** Messages that are gone; to be called before EXPUNGE is said. */
  tellRemovals(session: Session): void {
    const { selected } = session
    const { removals } = selected.open
    let gone: UidSet | undefined
    for (const [tag, kept] of this.#kept) {
      if (kept.removals === removals) continue
      kept.removals = removals
      gone ??= goneFrom(selected)
      remove(session, tag, kept, gone.intersect(kept.uids))
    }
  }

  /** Messages that match now or no longer; undefined when nothing has changed since this was last called. */
  tellChanges(session: Session): Promise<void> | undefined {
    const { open, lastUid } = session.selected
    if (![...this.#kept.values()].some((kept) => kept.modSeq < open.modSeq || kept.lastUid !== lastUid))
      return undefined
    const next = (): Promise<void> => this.#tellChanges(session)
    this.#telling = this.#telling.then(next, next)
    return this.#telling
  }

  /** What fails for one keeps back no other. */
  async #tellChanges(session: Session): Promise<void> {
    const { view } = session
    const failures: unknown[] = []
    for (const [tag, kept] of this.#kept) {
      if (!view || session.view !== view) return
      await this.#tellOne(session, view, tag, kept).catch((error) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }

  async #tellOne(session: Session, { lastUid, open }: View, tag: string, kept: Kept): Promise<void> {
    const { modSeq } = open
    await lookAgain(session, tag, kept, changedSince(session, kept))
    if (kept.items.length > 0 && lastUid > kept.lastUid) {
      this.arrivals.add(kept.uids.intersect(UidSet.ofRanges([[kept.lastUid + 1, lastUid]])), kept.items)
    }
    // Not before: what could not be looked for is looked for with the next changes.
    kept.modSeq = modSeq
    kept.lastUid = lastUid
  }
}

async function lookAgain(session: Session, tag: string, kept: Kept, changed: UidSet): Promise<void> {
  if (changed.isEmpty) return
  const view = session.selected
  const matching = await runSearch(session, kept.query(), changed)
  if (session.view !== view) return
  const there = (uid: number): boolean => view.open.indexOf(uid) >= 0
  const differing = [...changed].filter((uid) => there(uid) && kept.uids.has(uid) !== matching.has(uid))
  remove(session, tag, kept, UidSet.ofSorted(differing.filter((uid) => !matching.has(uid))))
  await add(session, tag, kept, UidSet.ofSorted(differing.filter((uid) => matching.has(uid))))
}

interface Kept {
  by: SearchFound['by']
  query: SearchFound['query']
  uids: UidSet
  /** Of SORT. */
  order: { criteria: readonly SortCriterion[]; sorted: readonly number[] } | undefined
  items: readonly FetchItem[]
  /** Of the open mailbox, as of which it was told. */
  modSeq: number
  removals: number
  /** The last message that was looked at: NOTIFY may have withheld others that are older than `modSeq`. */
  lastUid: number
}

/** What the session knows of and is no longer there. */
function goneFrom({ uids, count, open }: View): UidSet {
  const gone: number[] = []
  let at = 0
  for (let index = 0; index < count; index++) {
    const uid = uids[index] as number
    while (at < open.count && (open.uids[at] as number) < uid) at++
    if (open.uids[at] !== uid || at >= open.count) gone.push(uid)
  }
  return UidSet.ofSorted(gone)
}

/** Those that the session knows of and that are still there; `UID *` no longer means the last one of then, but that of now. */
function changedSince(session: Session, { modSeq, lastUid: seen }: Kept): UidSet {
  const { open, lastUid } = session.selected
  const changed: number[] = []
  for (let index = 0; index < open.count; index++) {
    const uid = open.uids[index] as number
    if (uid > lastUid) break
    const isLast = seen !== lastUid && (uid === seen || uid === lastUid)
    if (isLast || uid > seen || (open.modSeqs[index] as number) > modSeq) changed.push(uid)
  }
  return UidSet.ofSorted(changed)
}

function remove(session: Session, tag: string, kept: Kept, gone: UidSet): void {
  if (gone.isEmpty) return
  say(session, tag, kept, 'REMOVEFROM', kept.order ? runs(kept.order.sorted, gone, 'removed') : [[0, [...gone]]])
  kept.uids = kept.uids.without(gone)
  if (kept.order) kept.order.sorted = kept.order.sorted.filter((uid) => !gone.has(uid))
}

async function add(session: Session, tag: string, kept: Kept, come: UidSet): Promise<void> {
  if (come.isEmpty) return
  if (!kept.order) {
    kept.uids = kept.uids.union(come)
    return say(session, tag, kept, 'ADDTO', [[0, [...come]]])
  }
  const view = session.selected
  const { removals } = view.open
  const all = kept.uids.union(come)
  const { criteria } = kept.order
  const isFew = come.size <= fewCome && kept.removals === removals
  const sortedIn = isFew ? await sortIn(session, kept.order.sorted, come, criteria) : undefined
  let sorted: readonly number[] = sortedIn ?? (await runSort(session, all, criteria))
  if (session.view !== view) return
  if (sorted.length === all.size && view.open.removals === removals) kept.uids = all
  else {
    // Some have gone, before they were sorted or after: the client's list and this one must stay the same.
    const found = new Set(sorted)
    remove(session, tag, kept, UidSet.ofSorted([...kept.uids].filter((uid) => !found.has(uid))))
    sorted = sorted.filter((uid) => kept.uids.has(uid) || (come.has(uid) && view.open.indexOf(uid) >= 0))
    kept.uids = UidSet.from(sorted)
  }
  kept.order.sorted = sorted
  say(session, tag, kept, 'ADDTO', runs(sorted, come.intersect(kept.uids), 'added'))
}

/** Of more than so many it costs less to sort all of them. */
const fewCome = 100

type Run = [position: number, uids: number[]]

/**
 * What is picked out of a list, as neighbours with the place of the first, counted from 1: in the list as each step
 * finds it, since the client takes one after the other.
 */
function runs(list: readonly number[], picked: UidSet, how: 'added' | 'removed'): Run[] {
  const found: Run[] = []
  let taken = 0
  let last = -2
  for (const place of placesOf(list, picked)) {
    if (place !== last + 1) found.push([place + 1 - (how === 'removed' ? taken : 0), []])
    found.at(-1)?.[1].push(list[place] as number)
    last = place
    taken++
  }
  return found
}

/** Rising; all of them are in the list. */
function placesOf(list: readonly number[], picked: UidSet): number[] {
  const places: number[] = []
  if (picked.size <= fewPlaces) for (const uid of picked) places.push(list.indexOf(uid))
  else for (let place = 0; place < list.length; place++) if (picked.has(list[place] as number)) places.push(place)
  return places.sort((a, b) => a - b)
}

/** Of more than so many it costs less to go over the list once. */
const fewPlaces = 16

function say(session: Session, tag: string, kept: Kept, what: 'ADDTO' | 'REMOVEFROM', found: Run[]): void {
  const pairs: string[] = []
  for (const [position, uids] of found) {
    const numbers = kept.by === 'uid' ? uids : uids.map((uid) => session.selected.seqOf(uid)).filter((seq) => seq !== 0)
    if (numbers.length > 0) pairs.push(`${position} ${inOrder(numbers)}`)
  }
  if (pairs.length === 0) return
  const uid = kept.by === 'uid' ? 'UID ' : ''
  session.untagged(`ESEARCH (TAG ${printQuoted(tag)}) ${uid}${what} (${pairs.join(' ')})`)
}

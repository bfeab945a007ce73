import {
  type Acting,
  type FetchedMessage,
  type FetchNeed,
  type FlagChange,
  type FlagsUpdated,
  type ModSeq,
  nextTurn,
  StoreError,
  systemFlags,
  UidSet,
} from '@pennypost/model'
import type { Turns } from '@pennypost/transport'
import { actingOnSelected } from '../access/acting.ts'
import type { By, SequenceSet } from '../grammar/sequence-set.ts'
import type { Session } from '../session/session.ts'
import { flagsText, tellFlagNames } from '../session/tell-changes.ts'
import { placeOf } from '../view/lower-bound.ts'
import type { View } from '../view/view.ts'
import { type FetchItem, FetchTarget, saysGone } from './fetch-item.ts'

/**
 * Writes FETCH responses for messages of the selected mailbox, in order of number. Flags alone come out of the shared
 * arrays; everything else out of the store's pages. Messages that are gone, told or not, are passed over.
 *
 * Never broken: a response that was begun is finished, or the connection dies with it; a page that was written leaves
 * before the next one is made; other sessions get their turn between pages, and within one that takes long to write.
 */
export async function runFetch(
  session: Session,
  uids: UidSet,
  items: readonly FetchItem[],
  extra?: FetchExtra,
): Promise<FetchOutcome> {
  const view = session.selected
  const asked = extra?.changedSince === undefined ? uids : changedAfter(view, uids, extra.changedSince)
  const target = new FetchTarget(session, view)
  const need = joinNeeds(items)
  const prepares = items.some((item) => item.prepare)
  const tellsModSeq = ['FLAGS', 'MODSEQ'].every((key) => items.some((item) => item.key === key))
  const between = items.length > fewItems ? betweenItems(session.service.turns) : undefined
  const fetched: Fetch = { target, items, prepares, between, tellsModSeq, refusal: undefined, told: 0 }
  if (need && session.service.onRead && items.some((item) => item.reads)) need.journey = true
  if (need) await fetchRows(fetched, asked, need)
  else await fetchKnown(fetched, asked)
  return { complete: fetched.told >= countKnown(view, asked), refusal: fetched.refusal }
}

export interface FetchOutcome {
  /** False when some of the messages have been expunged by others. */
  complete: boolean
  /** What an item could not do for some message; the others were told. */
  refusal: unknown
}

/** What QRESYNC and its kin leave out. */
export interface FetchExtra {
  /** Only messages changed after this. */
  changedSince?: ModSeq
  /** Leaves some of the messages out before anything is said. */
  narrow?(view: View, uids: UidSet, by: By): UidSet
  /** Told beside what was asked for. */
  items?: readonly FetchItem[]
  /** Said before the first message. */
  before?(asked: FetchAsked): Promise<void>
}

/** The command as its modifiers see it. */
export interface FetchAsked {
  session: Session
  set: SequenceSet
  by: By
  changedSince: ModSeq | undefined
}

interface Fetch {
  target: FetchTarget
  items: readonly FetchItem[]
  /** Some of them look before anything is written. */
  prepares: boolean
  /** After an item, where there are many: undefined, or what is waited for. */
  between: (() => Promise<void> | undefined) | undefined
  /** Each response says all that is new in the flags of its message. */
  tellsModSeq: boolean
  refusal: unknown
  /** Messages of which all was told. */
  told: number
}

/** So many need no look at the clock after each. */
const fewItems = 10

/** Each of many items may go through a header of a megabyte. */
function betweenItems(turns: Turns): () => Promise<void> | undefined {
  let began = turns.now()
  return () => {
    const from = began
    began = turns.now()
    return turns.over(from)
  }
}

function joinNeeds(items: readonly FetchItem[]): FetchNeed | undefined {
  const needs = items.flatMap(({ need }) => need ?? [])
  if (needs.length === 0) return undefined
  const index = new Set(needs.flatMap((need) => need.index ?? []))
  return { ...Object.assign({}, ...needs), ...(index.size > 0 ? { index: [...index] } : {}) }
}

/** Those that changed after this, or have gone. The others are not even read: that may set \Seen, which changes them. */
function changedAfter(view: View, uids: UidSet, modSeq: ModSeq): UidSet {
  const { open } = view
  const changed: number[] = []
  let openIndex = -1
  for (const uid of view.among(uids)) {
    const index = placeOf(open.uids, open.count, uid, openIndex + 1)
    if (index >= 0) openIndex = index
    if (index < 0 || (open.modSeqs[index] as number) > modSeq) changed.push(uid)
  }
  return UidSet.ofSorted(changed)
}

function countKnown(view: View, uids: UidSet): number {
  let count = 0
  for (const [first, last] of uids.ranges()) count += view.lowerBound(last + 1) - view.lowerBound(first)
  return count
}

/** Out of the shared arrays. */
async function fetchKnown(fetch: Fetch, uids: UidSet): Promise<void> {
  const { target } = fetch
  const { view, out } = target
  for (const [first, last] of uids.ranges()) {
    for (let index = view.lowerBound(first); index < view.count; index++) {
      const uid = view.uids[index] as number
      if (uid > last) break
      if (!aim(fetch, uid, index)) continue
      const pending = writeMessage(fetch, false)
      if (pending) await pending
      if (out.pageFull) {
        await out.drained()
        if (out.gone) return
        await nextTurn()
      }
    }
  }
}

/** Out of the store. */
async function fetchRows(fetch: Fetch, uids: UidSet, need: FetchNeed): Promise<void> {
  const { target, items } = fetch
  const { session, view, out } = target
  // RFC 4314 §4: without the right s it is read all the same.
  const asked = !view.readOnly && items.some((item) => item.setsSeen)
  const acting = asked ? await actingOnSelected(session) : undefined
  const setsSeen = asked && acting?.may.seen !== false
  const { service } = session
  const { turns } = service
  for await (const rows of service.mail.fetch(view.open.mailbox.id, uids, need)) {
    const seen = setsSeen ? await setSeen(session, view, rows, acting) : undefined
    for (const row of rows) {
      const began = turns.now()
      const place = placeOf(view.uids, view.count, row.uid, target.seq)
      if (place < 0 || !aim(fetch, row.uid, place)) continue
      target.row = row
      const pending = writeMessage(fetch, seen?.uids.has(row.uid) === true)
      if (pending) await pending
      if (row.body) out.spend(row.body)
      if (out.pageFull) await out.drained()
      const others = turns.over(began)
      if (others) await others
      if (out.gone) return
    }
    // Unless one of them was passed over, which is told with the other changes.
    if (seen && fetch.refusal === undefined) view.toldOwn(seen.done)
  }
}

/** Points the target at a message; false when it is gone. */
function aim(fetch: Fetch, uid: number, viewIndex: number): boolean {
  const { target } = fetch
  if (!target.aim(uid, viewIndex + 1)) return false
  tellFlagNames(target.session, target.view)
  return true
}

/**
 * Sets \Seen on those of the page that lack it (RFC 9051 §6.4.5); their new flags go into the same responses. Undefined
 * when there are none, or the store cannot write, as on a full disk: what is there can be read all the same.
 */
async function setSeen(
  session: Session,
  view: View,
  rows: readonly FetchedMessage[],
  acting: Acting | undefined,
): Promise<{ uids: UidSet; done: FlagsUpdated } | undefined> {
  const { open } = view
  const unseen: number[] = []
  for (const { uid } of rows) {
    const index = open.indexOf(uid)
    if (index >= 0 && ((open.flags[index] as number) & systemFlags['\\Seen']) === 0) unseen.push(uid)
  }
  if (unseen.length === 0) return undefined
  const uids = UidSet.ofSorted(unseen)
  const change: FlagChange = { uids, mode: 'add', flags: ['\\Seen'] }
  try {
    const done = await session.service.mail.updateFlags(open.mailbox.id, change, acting)
    if (!open.applyUpdate(change, done)) await open.refresh()
    return { uids, done }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    session.warn(error, '\\Seen could not be set')
    return undefined
  }
}

/** Looks with all items, then says the response. A promise when octets must be read; it rejects when the connection ends. */
function writeMessage(fetch: Fetch, flagsChanged: boolean): Promise<void> | undefined {
  const note = (error: unknown): void => {
    if (!saysGone(error)) fetch.refusal ??= error
  }
  try {
    const prepared = fetch.prepares ? eachItem(fetch, 0, prepareItem) : undefined
    if (prepared) return prepared.then(() => writeItems(fetch, flagsChanged), note)
  } catch (error) {
    note(error)
    return undefined
  }
  return writeItems(fetch, flagsChanged)
}

function writeItems(fetch: Fetch, flagsChanged: boolean): Promise<void> | undefined {
  const { target } = fetch
  // Gone since `prepare` has begun to look.
  if (target.openIndex < 0) return undefined
  const fail = (error: unknown): never => {
    // What was begun cannot be ended, or octets that were announced could not be read: nothing that could be said now
    // would be understood.
    target.session.connection.destroy()
    throw error
  }
  target.out.text(`* ${target.seq} FETCH (`)
  try {
    const written = eachItem(fetch, 0, writeItem)
    return written ? written.then(() => end(fetch, flagsChanged)).catch(fail) : end(fetch, flagsChanged)
  } catch (error) {
    return fail(error)
  }
}

type Step = (target: FetchTarget, item: FetchItem, index: number) => void | Promise<void>

const prepareItem: Step = (target, item) => item.prepare?.(target)

const writeItem: Step = (target, item, index) => {
  if (index > 0) target.out.text(' ')
  return item.write(target)
}

/** Does it with each item from `from` on; undefined when all of it was done at once. */
function eachItem(fetch: Fetch, from: number, step: Step): Promise<void> | undefined {
  const { target, items, between } = fetch
  for (let index = from; index < items.length; index++) {
    const pending = step(target, items[index] as FetchItem, index) ?? between?.()
    if (pending) return pending.then(() => eachItem(fetch, index + 1, step))
  }
  return undefined
}

function end(fetch: Fetch, flagsChanged: boolean): undefined {
  const { target, items, tellsModSeq } = fetch
  const { session, view, out, openIndex, row } = target
  const isThere = openIndex >= 0
  if (isThere && !target.isGone) fetch.told++
  if (isThere && flagsChanged) {
    const has = (key: string): boolean => items.some((item) => item.key === key)
    if (!has('FLAGS')) out.text(` FLAGS (${flagsText(session, view, openIndex)})`)
    // RFC 7162 §3.2.4
    if (session.enabled.has('CONDSTORE')) {
      if (!has('UID')) out.text(` UID ${target.uid}`)
      if (!has('MODSEQ')) out.text(` MODSEQ (${view.saidModSeq(openIndex)})`)
    }
    view.markTold(openIndex)
  } else if (isThere && tellsModSeq) view.markTold(openIndex)
  out.text(')\r\n')
  if (row?.journey && items.some((item) => item.reads)) {
    session.service.onRead?.({ journey: row.journey, login: session.user.login, session: session.id })
  }
}

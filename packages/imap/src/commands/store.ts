/**
 * STORE and UID STORE. Without .SILENT every message that was meant is told, changed or not; with it only what the
 * client could not work out by itself, so that a change of another session is never swallowed.
 */
import {
  type Acting,
  bitsOf,
  type Flag,
  type FlagBits,
  type FlagChange,
  type FlagMode,
  type FlagsUpdated,
  flagsAfter,
  mayFlag,
  nextTurn,
  UidSet,
} from '@pennypost/model'
import { actingOnSelected, mayAny } from '../access/acting.ts'
import { notPermitted } from '../access/find-mailbox.ts'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import type { StoreCondition } from '../extension.ts'
import type { FetchItem } from '../fetch/fetch-item.ts'
import { changedFlags, uidItem } from '../fetch/items.ts'
import { runFetch } from '../fetch/run-fetch.ts'
import { storeFlags } from '../grammar/flags.ts'
import { distinctNames } from '../grammar/known-names.ts'
import { type By, type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { deletedByOthers } from '../refusal.ts'
import { foundNumbers } from '../search/run-search.ts'
import type { Session } from '../session/session.ts'
import { besideFlags } from '../session/tell-changes.ts'
import { placeOf } from '../view/lower-bound.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

interface Args {
  set: SequenceSet
  mode: FlagMode
  silent: boolean
  flags: Flag[]
  condition: StoreCondition
}

const modes = { '+': 'add', '-': 'remove', '': 'replace' } as const

/** `"STORE" SP sequence-set [SP store-modifiers] SP store-att-flags` */
function parse(cursor: Cursor, session: Session): Args {
  cursor.sp()
  const set = sequenceSet(cursor)
  cursor.sp()
  const condition: StoreCondition = {}
  if (cursor.peek() === '(') {
    distinctNames(cursor, session, 'Modifier', session.service.registry.storeModifiers, (kind) =>
      Object.assign(condition, kind.parse(cursor, session)),
    )
    cursor.sp()
  }
  const sign = cursor.skip('+') ? '+' : cursor.skip('-') ? '-' : ''
  cursor.expect('FLAGS')
  const silent = cursor.skip('.SILENT')
  cursor.sp()
  return { set, mode: modes[sign], silent, flags: storeFlags(cursor), condition }
}

async function run(session: Session, args: Args, by: By): Promise<Completion | undefined> {
  const view = session.selected
  const uids = view.select(args.set, by)
  if (uids.isEmpty) return undefined
  const acting = await actingFor(session, args)
  await session.refresh()
  const silent = args.silent && doesAll(acting, args)
  const expected = silent ? await expectedFlags(view, uids, args) : undefined
  const change: FlagChange = { uids, mode: args.mode, flags: args.flags, ...args.condition }
  const done = await session.service.mail.updateFlags(view.open.mailbox.id, change, acting)
  const { modified } = done
  // It is done, though it may be told only later, when it cannot be read now.
  const isKnown = await takeIn(session, view, change, done, silent).catch(session.notRead)
  const isRead = isKnown !== undefined
  const complete = expected !== undefined || !isRead || (await tell(session, uids, modified, by))
  if (expected && isRead && !isKnown) {
    const isConditional = args.condition.unchangedSince !== undefined
    await keepSilent(session, expected, (uid) => isConditional && !modified.has(uid))
    // With a new MODSEQ for each of them it is all that was new; where nothing could be expected, nothing was told.
    if (expected.uids.length > 0) view.toldOwn(done)
  }
  const code = modified.isEmpty ? undefined : `MODIFIED ${UidSet.ofSorted(foundNumbers(session, modified, by))}`
  // RFC 2180 §4.2.2, RFC 7162 §3.1.3; UIDs that are gone are no fault (RFC 9051 §6.4.9).
  if (!complete && by === 'sequence') throw deletedByOthers(code)
  return code === undefined ? undefined : { code, text: 'Conditional STORE failed for some' }
}

/** NO when not one of the flags may be changed; those that may not are passed over (RFC 4314 §4). */
async function actingFor(session: Session, { flags }: Args): Promise<Acting | undefined> {
  const acting = await actingOnSelected(session)
  if (!acting) return undefined
  const { may } = acting
  const changes = flags.length === 0 ? mayAny(may) : flags.some((flag) => mayFlag(may, flag))
  if (!changes) throw notPermitted('s, w or t')
  return acting
}

/** Else the client cannot work out what becomes of the flags, so that .SILENT holds nothing back (RFC 9051 §6.4.6). */
function doesAll(acting: Acting | undefined, { mode, flags }: Args): boolean {
  if (!acting) return true
  const { seen, deleted, others } = acting.may
  return mode === 'replace' ? seen && deleted && others : flags.every((flag) => mayFlag(acting.may, flag))
}

/** The flags of all that were meant, changed or not (RFC 9051 §6.4.6); false when some of those are gone. */
async function tell(session: Session, uids: UidSet, modified: UidSet, by: By): Promise<boolean> {
  const changed = modified.isEmpty ? uids : UidSet.ofSorted([...uids].filter((uid) => !modified.has(uid)))
  // RFC 7162 §3.2.4
  const withUid = by === 'uid' || session.enabled.has('CONDSTORE')
  const { complete } = await runFetch(session, changed, withUid ? [uidItem, changedFlags] : [changedFlags])
  return complete
}

/** Brings the change into the shared state; true when the client knows by itself, or is told now, all that is new in it. */
async function takeIn(
  session: Session,
  view: View,
  change: FlagChange,
  done: FlagsUpdated,
  silent: boolean,
): Promise<boolean> {
  const { open } = view
  if (!open.applyUpdate(change, done)) {
    session.service.mailboxes.touch(open.mailbox.id)
    await open.refresh()
  }
  // RFC 7162 §3.1.3: the new MODSEQ is never held back.
  if (silent && session.enabled.has('CONDSTORE')) return false
  return view.toldOwn(done)
}

/** What flags become if nobody else interferes: rising UIDs, each with its flags. */
interface Expected {
  uids: number[]
  flags: FlagBits[]
}

/** That much the client knows by itself. */
async function expectedFlags(view: View, uids: UidSet, { mode, flags }: Args): Promise<Expected> {
  const { open } = view
  const expected: Expected = { uids: [], flags: [] }
  const change = bitsOf(flags, open.keywords)
  // A keyword that is new to the mailbox has no bit yet: then all is told.
  if (flags.some((flag) => open.bitsOf(flag) === undefined)) return expected
  for (const [first, last] of uids.ranges()) {
    for (let index = open.lowerBound(first); index < open.count && (open.uids[index] as number) <= last; index++) {
      const uid = open.uids[index] as number
      // A change by others that was not told yet must be told all the same.
      if (view.hasUntold(index)) continue
      expected.uids.push(uid)
      expected.flags.push(flagsAfter(open.flags[index] as number, mode, change))
      if (expected.uids.length % perPage !== 0) continue
      await nextTurn()
      // Others may have expunged something meanwhile.
      index = open.lowerBound(uid + 1) - 1
    }
  }
  return expected
}

/**
 * RFC 9051 §6.4.6: .SILENT holds back what the client can work out; RFC 7162 §3.1.3: never the new MODSEQ, and under a
 * condition not that of what was so already (`tellsAnyway`).
 */
async function keepSilent(session: Session, expected: Expected, tellsAnyway: (uid: number) => boolean): Promise<void> {
  const view = session.selected
  const { open } = view
  const keepsModSeqs = session.enabled.has('CONDSTORE')
  const changed = new Map<number, FlagBits>()
  let index = -1
  for (const [at, uid] of expected.uids.entries()) {
    index = placeOf(open.uids, open.count, uid, index + 1)
    if (index >= 0 && open.flags[index] === expected.flags[at]) {
      if (!keepsModSeqs) view.markTold(index)
      else if (view.hasUntold(index) || tellsAnyway(uid)) changed.set(uid, open.flags[index] as number)
    }
    if (at % perPage === perPage - 1) await nextTurn()
  }
  if (changed.size > 0) await runFetch(session, UidSet.ofSorted([...changed.keys()]), [uidItem, newModSeq(changed)])
}

/** The MODSEQ alone, unless others have changed the flags since they became what is `expected`. */
function newModSeq(expected: ReadonlyMap<number, FlagBits>): FetchItem {
  return {
    key: 'MODSEQ',
    write(target) {
      const { session, view, out, uid, openIndex } = target
      if (expected.get(uid) !== view.open.flags[openIndex]) return changedFlags.write(target)
      out.text(besideFlags(session, view, openIndex).trimStart())
      view.markTold(openIndex)
    },
  }
}

/** Of a large mailbox: then others have their turn. */
const perPage = 10_000

export const [store, uidStore] = bothForms({
  name: 'STORE',
  rfc: 'RFC 9051 §6.4.6',
  states: whenSelected,
  effects: { numbers: true, writes: true },
  parse,
  run,
})

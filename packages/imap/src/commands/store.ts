/**
 * STORE and UID STORE. Without .SILENT every message that was meant is told, changed or not; with it only what the
 * client could not work out by itself, so that a change of another session is never swallowed.
 */
import { bitsOf, bitsUnion, bitsWithout, type Flag, type FlagBits, type ModSeq, UidSet } from '@pennypost/model'
import { type Command, type Completion, whenSelected } from '../command.ts'
import type { StoreCondition } from '../extension.ts'
import { changedFlags, uidItem } from '../fetch/items.ts'
import { runFetch } from '../fetch/run-fetch.ts'
import { storeFlags } from '../grammar/flags.ts'
import { type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { bad } from '../refusal.ts'
import { foundNumbers } from '../search/run-search.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

interface Args {
  set: SequenceSet
  mode: 'add' | 'remove' | 'replace'
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
    cursor.list(() => {
      const name = cursor.word('Modifier')
      const kind = session.service.registry.storeModifiers.get(name)
      if (!kind) throw bad(`Unknown modifier ${name.slice(0, 40)}`)
      Object.assign(condition, kind.parse(cursor, session))
    }, session.service.limits.listPatterns)
    cursor.sp()
  }
  const sign = cursor.skip('+') ? '+' : cursor.skip('-') ? '-' : ''
  cursor.expect('FLAGS')
  const silent = cursor.skip('.SILENT')
  cursor.sp()
  return { set, mode: modes[sign], silent, flags: storeFlags(cursor), condition }
}

async function run(session: Session, args: Args, by: 'sequence' | 'uid'): Promise<Completion | undefined> {
  const view = session.selected
  const uids = view.select(args.set, by)
  if (uids.isEmpty) return undefined
  await session.refresh()
  const expected = args.silent ? expectedFlags(view, uids, args) : undefined
  const { mode, flags } = args
  const { unchangedSince } = args.condition
  const change = {
    uids,
    mode,
    flags,
    ...(unchangedSince === undefined ? {} : { unchangedSince: unchangedSince as ModSeq }),
  }
  const { modified } = await session.service.mail.updateFlags(view.open.mailbox.id, change)
  session.service.mailboxes.touch(view.open.mailbox.id)
  await view.open.refresh()
  if (expected) keepSilent(view, uids, expected, session)
  else await tell(session, uids, modified, by)
  if (modified.isEmpty) return undefined
  const numbers = UidSet.ofSorted(foundNumbers(session, modified, by))
  return { code: `MODIFIED ${numbers}`, text: 'Conditional STORE failed for some' }
}

/** The flags of all that were meant, changed or not (RFC 9051 §6.4.6). */
async function tell(session: Session, uids: UidSet, modified: UidSet, by: 'sequence' | 'uid'): Promise<void> {
  const changed = modified.isEmpty ? uids : UidSet.ofSorted([...uids].filter((uid) => !modified.has(uid)))
  // RFC 7162 §3.2.4
  const withUid = by === 'uid' || session.enabled.has('CONDSTORE')
  await runFetch(session, changed, withUid ? [uidItem, changedFlags] : [changedFlags])
}

/** What the flags become if nobody else interferes: that much the client knows by itself. */
function expectedFlags(view: View, uids: UidSet, { mode, flags }: Args): Map<number, FlagBits> {
  const { open, told } = view
  const change = bitsOf(flags, open.keywords)
  // A keyword that is new to the mailbox has no bit yet: then all is told.
  if (flags.some((flag) => open.bitsOf(flag) === undefined)) return new Map()
  const expected = new Map<number, FlagBits>()
  for (const [first, last] of uids.ranges()) {
    for (let index = open.lowerBound(first); index < open.count && (open.uids[index] as number) <= last; index++) {
      const uid = open.uids[index] as number
      // A change by others that was not told yet must be told all the same.
      const modSeq = open.modSeqs[index] as number
      if (modSeq > told.modSeq && told.already.get(uid) !== modSeq) continue
      const before = open.flags[index] as number
      const after =
        mode === 'add' ? bitsUnion(before, change) : mode === 'remove' ? bitsWithout(before, change) : change
      expected.set(uid, after)
    }
  }
  return expected
}

/** RFC 9051 §6.4.6: .SILENT holds back what the client can work out; RFC 7162 §3.1.3: never the new MODSEQ. */
function keepSilent(view: View, uids: UidSet, expected: Map<number, FlagBits>, session: Session): void {
  if (session.enabled.has('CONDSTORE')) return
  const { open } = view
  for (const [first, last] of uids.ranges()) {
    for (let index = open.lowerBound(first); index < open.count && (open.uids[index] as number) <= last; index++) {
      if (expected.get(open.uids[index] as number) === open.flags[index]) view.markTold(index)
    }
  }
}

export const store = {
  name: 'STORE',
  rfc: 'RFC 9051 §6.4.6',
  states: whenSelected,
  effects: { numbers: true, writes: true },
  parse,
  run: (session, args) => run(session, args, 'sequence'),
} satisfies Command<Args>

export const uidStore = {
  name: 'UID STORE',
  rfc: 'RFC 9051 §6.4.9',
  states: whenSelected,
  effects: { writes: true },
  parse,
  run: (session, args) => run(session, args, 'uid'),
} satisfies Command<Args>

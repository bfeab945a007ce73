/** COPY and UID COPY, and what MOVE shares with them. One transaction: all messages that are still there, or none. */
import { type Copied, StoreError, UidSet } from '@pennypost/model'
import { actingOn } from '../access/acting.ts'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import { spMailbox } from '../grammar/mailbox.ts'
import { type By, type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { deletedByOthers } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

export interface CopyArgs {
  set: SequenceSet
  name: string
}

/** `"COPY" SP sequence-set SP mailbox` */
export function parseCopy(cursor: Cursor, session: Session): CopyArgs {
  cursor.sp()
  const set = sequenceSet(cursor)
  return { set, name: spMailbox(cursor, session) }
}

/** RFC 4315 §3 `resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set`; undefined when nothing was copied. */
export function copyUid({ uidValidity, source, target }: Copied): string | undefined {
  return source.isEmpty ? undefined : `COPYUID ${uidValidity} ${source} ${UidSet.ofSorted(target)}`
}

/**
 * The messages that must all be there, since OK would say that they have all been copied (RFC 2180 §4.4.1): those named by
 * number. What is gone has left a saved result by itself (RFC 5182 §2.1), and UIDs that are gone are no fault.
 */
export function mustBeThere({ selected }: Session, uids: UidSet, { saved }: SequenceSet, by: By): UidSet {
  return by === 'uid' || saved ? UidSet.empty : selected.among(uids)
}

async function run(session: Session, { set, name }: CopyArgs, by: By): Promise<Completion | undefined> {
  const { open } = session.selected
  const uids = session.selected.select(set, by)
  const target = await session.mailbox(name, 'i', 'TRYCREATE')
  if (uids.isEmpty) return undefined
  const acting = actingOn(session, target, true)
  const { size: count } = mustBeThere(session, uids, set, by)
  const copied = await session.service.mail.copy(open.mailbox.id, uids, target.id, acting, count).catch((error) => {
    throw error instanceof StoreError && error.reason === 'no-such-message' ? deletedByOthers() : error
  })
  session.service.mailboxes.touch(target.id)
  session.notifier?.own.added(target.id, copied.target)
  return { code: copyUid(copied) }
}

export const [copy, uidCopy] = bothForms({
  name: 'COPY',
  rfc: 'RFC 9051 §6.4.7',
  states: whenSelected,
  effects: {},
  parse: parseCopy,
  run,
})

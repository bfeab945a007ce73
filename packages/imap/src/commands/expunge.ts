import type { UidSet } from '@pennypost/model'
import { requireSelected } from '../access/acting.ts'
import { type Command, type Completion, noArguments, whenSelected } from '../command.ts'
import { type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import type { Session } from '../session/session.ts'

/** Removes what bears \Deleted; the EXPUNGE responses come with the command's updates. */
async function expungeDeleted(session: Session, uids: UidSet): Promise<Completion | undefined> {
  const { open } = session.selected
  await requireSelected(session, ['e'])
  const expunged = await session.service.mail.expunge(open.mailbox.id, uids, 'deleted')
  session.service.mailboxes.touch(open.mailbox.id)
  return expungedAt(session, expunged)
}

/**
 * How a command ends that has expunged messages: it is done, though it may be told only later, when it cannot be read now.
 *
 * RFC 7162 §3.2.7: who has enabled CONDSTORE is told the MODSEQ of what its command has expunged. Not where NOTIFY keeps
 * back what others did before: who took it for the place where it stands would never hear of that.
 */
export async function expungedAt(
  session: Session,
  { uids, modSeq }: { uids: UidSet; modSeq?: number },
): Promise<Completion | undefined> {
  try {
    await session.refresh()
  } catch (error) {
    session.notRead(error)
    return undefined
  }
  const { open, settledModSeq } = session.selected
  // Of what was deleted or taken away meanwhile not even this command's own doing can be told any more.
  if (!session.enabled.has('CONDSTORE') || uids.isEmpty || open.deleted) return undefined
  const upTo = modSeq ?? open.modSeq
  const tellsAll = session.notifier?.selected.flags !== false
  return { code: `HIGHESTMODSEQ ${tellsAll ? upTo : Math.min(upTo, settledModSeq)}` }
}

export const expunge = {
  name: 'EXPUNGE',
  rfc: 'RFC 9051 §6.4.3',
  states: whenSelected,
  effects: { writes: true, removes: true },
  parse: noArguments,
  run: (session) => expungeDeleted(session, session.selected.all()),
} satisfies Command<undefined>

export const uidExpunge = {
  name: 'UID EXPUNGE',
  rfc: 'RFC 9051 §6.4.9',
  states: whenSelected,
  effects: { writes: true, removes: true },
  parse(cursor) {
    cursor.sp()
    return sequenceSet(cursor)
  },
  run: (session, set) => expungeDeleted(session, session.selected.select(set, 'uid')),
} satisfies Command<SequenceSet>

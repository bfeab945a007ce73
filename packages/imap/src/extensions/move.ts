import { actingOn, requireSelected } from '../access/acting.ts'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import { type CopyArgs, copyUid, mustBeThere, parseCopy } from '../commands/copy.ts'
import { expungedAt } from '../commands/expunge.ts'
import type { Extension } from '../extension.ts'
import type { By } from '../grammar/sequence-set.ts'
import { deletedByOthers, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'

/** COPYUID comes untagged, before the EXPUNGE responses (RFC 6851 §4.3); rights are those of COPY, STORE and EXPUNGE. */
async function run(session: Session, { set, name }: CopyArgs, by: By): Promise<Completion | undefined> {
  const { open } = session.selected
  const { mail, mailboxes } = session.service
  const uids = session.selected.select(set, by)
  await requireSelected(session, ['t', 'e'])
  const target = await session.mailbox(name, 'i', 'TRYCREATE')
  if (uids.isEmpty) return undefined
  const named = mustBeThere(session, uids, set, by)
  if (!named.isEmpty) await session.refresh()
  if ([...named].some((uid) => open.indexOf(uid) < 0)) throw deletedByOthers()
  const moved = await mail.move(open.mailbox.id, uids, target.id, actingOn(session, target, true))
  mailboxes.touch(open.mailbox.id)
  mailboxes.touch(target.id)
  session.notifier?.own.added(target.id, moved.target)
  const code = copyUid(moved)
  if (code !== undefined) session.untagged(`OK [${code}] Moved`)
  const completion = await expungedAt(session, { uids: moved.source })
  // RFC 6851 §3.3: what has been moved stays so, and is told; OK would say that it was all.
  if (moved.failure !== undefined) throw moved.failure
  if (moved.source.size < named.size)
    throw no('EXPUNGEISSUED', 'Others have deleted some of the messages just now; what was left has been moved')
  return completion
}

const [move, uidMove] = bothForms({
  name: 'MOVE',
  rfc: 'RFC 9051 §6.4.8',
  states: whenSelected,
  effects: { writes: true, removes: true },
  parse: parseCopy,
  run,
})

export const moveExtension: Extension = {
  name: 'MOVE',
  rfc: 'RFC 6851',
  capabilities: [{ name: 'MOVE' }],
  commands: [move, uidMove],
}

import { type NewAppend, StoreError, type Uid } from '@pennypost/model'
import { actingOn, requireSelected } from '../access/acting.ts'
import { bothForms, type Completion, whenSelected } from '../command.ts'
import { type Appending, appendMessage, messageLiteral, newAppends, tookIn } from '../commands/append.ts'
import { expungedAt } from '../commands/expunge.ts'
import type { Extension } from '../extension.ts'
import { spMailbox } from '../grammar/mailbox.ts'
import { type By, type SequenceSet, sequenceSet } from '../grammar/sequence-set.ts'
import { bad, type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor, Unit } from '../wire/cursor.ts'
import type { LiteralOffer } from '../wire/framer.ts'

/**
 * A message takes the place of another: the way to save a draft anew (RFC 8508), in one step, also where there is no room
 * for both.
 */
interface Args {
  set: SequenceSet
  name: string
  message: Appending
}

/** `"REPLACE" SP seq-number SP mailbox append-message` */
function parse(cursor: Cursor, session: Session): Args {
  const { set, name } = target(cursor, session)
  return { set, name, message: appendMessage(cursor, session) }
}

function target(cursor: Cursor, session: Session): Pick<Args, 'set' | 'name'> {
  cursor.sp()
  const set = sequenceSet(cursor)
  const [range] = set.saved ? [] : set.ranges
  if (set.saved || set.ranges.length > 1 || range?.[0] !== range?.[1]) throw bad('One message number expected')
  return { set, name: spMailbox(cursor, session) }
}

/** The one message that is to go; NO when it is not there. */
function replaced(session: Session, set: SequenceSet, by: By): Uid {
  const view = session.selected
  const [range] = [...view.select(set, by).ranges()]
  const uid = range?.[0] ?? 0
  if (view.seqOf(uid) === 0) throw no('NONEXISTENT', 'There is no such message')
  if (view.open.indexOf(uid) < 0) throw gone()
  return uid as Uid
}

/** Others have expunged it. */
function gone(): ImapRefusal {
  return no('EXPUNGEISSUED', 'The message is gone')
}

async function run(session: Session, { set, name, message }: Args, by: By): Promise<Completion | undefined> {
  const { open } = session.selected
  const { mail, mailboxes } = session.service
  const uid = replaced(session, set, by)
  await requireSelected(session, ['t', 'e'])
  const found = await session.mailbox(name, 'i', 'TRYCREATE')
  const [append] = (await newAppends(session, [message])) as [NewAppend]
  const { appended, expunged } = await mail
    .replace(open.mailbox.id, uid, found.id, append, actingOn(session, found, false))
    .catch((error: unknown) => {
      throw error instanceof StoreError && error.reason === 'no-such-message' ? gone() : error
    })
  mailboxes.touch(open.mailbox.id)
  await tookIn(session, found, [append], appended)
  // Before EXPUNGE, so that the client has the new message when the old one goes (§4.3).
  session.untagged(`OK [APPENDUID ${appended.uidValidity} ${appended.uids}] The new message is there`)
  return expungedAt(session, expunged)
}

/** What is wrong is said before the client has sent the message. */
function literal(cursor: Cursor, session: Session, unit: Unit, offer: LiteralOffer, by: By) {
  const isMailbox = unit.literals.length === 0 && /^\S+ (?:UID )?REPLACE \S+ *$/i.test(unit.lines[0] as string)
  if (isMailbox) return undefined
  if (session.selected.readOnly) throw no('', 'The mailbox is open for reading only')
  const { set, name } = target(cursor, session)
  const gone = replaced(session, set, by)
  return requireSelected(session, ['t', 'e']).then(() => messageLiteral(session, unit, offer, name, gone))
}

const [replace, uidReplace] = bothForms({
  name: 'REPLACE',
  rfc: 'RFC 8508 §3.2',
  uidRfc: 'RFC 8508 §3.3',
  states: whenSelected,
  effects: { writes: true, removes: true },
  parse,
  run,
  literal,
})

export const replaceExtension: Extension = {
  name: 'REPLACE',
  rfc: 'RFC 8508',
  capabilities: [{ name: 'REPLACE' }],
  commands: [replace, uidReplace],
}

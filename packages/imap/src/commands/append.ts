/**
 * APPEND: messages go into the store's stage as they come, and into the mailbox when the whole command has been read.
 * Never broken: no message is ever whole in memory; whatever can be refused is refused before the client sends it.
 */
import {
  type Appended,
  type Flag,
  type InternalDate,
  type NewAppend,
  StoreError,
  type Uid,
  UidSet,
} from '@pennypost/model'
import { actingOn } from '../access/acting.ts'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import { BinarySink } from '../append/binary-message.ts'
import { requireFewer, roomFor, tooBig } from '../append/bounds.ts'
import { AppendedMessage, MessageSink } from '../append/message-sink.ts'
import { type Command, type LiteralSink, loggedIn } from '../command.ts'
import { dateTime } from '../grammar/date.ts'
import { appendFlags } from '../grammar/flags.ts'
import { spMailbox } from '../grammar/mailbox.ts'
import { bad, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor, Unit } from '../wire/cursor.ts'
import type { LiteralOffer } from '../wire/framer.ts'

/** One message of APPEND or REPLACE, as it was given. */
export interface Appending {
  flags: Flag[]
  date: InternalDate | undefined
  /** Staged already, or made when the command runs. */
  content: AppendedMessage | ((session: Session) => Promise<AppendedMessage>)
}

interface Args {
  name: string
  messages: Appending[]
}

/**
 * `"APPEND" SP mailbox 1*append-message`, `append-message = [SP flag-list] [SP date-time] SP append-data`
 * Several messages are RFC 3502; `append-data = literal / literal8 / "UTF8" SP "(" literal8 ")"` is RFC 6855 §4.
 */
function parse(cursor: Cursor, session: Session): Args {
  const name = spMailbox(cursor, session)
  const messages: Appending[] = []
  const several = session.service.registry.has('MULTIAPPEND')
  do messages.push(appendMessage(cursor, session))
  while (several && !cursor.atEnd)
  return { name, messages }
}

/** `append-message = [SP flag-list] [SP date-time] SP append-data` */
export function appendMessage(cursor: Cursor, session: Session): Appending {
  cursor.sp()
  let flags: Flag[] = []
  if (cursor.peek() === '(') {
    flags = appendFlags(cursor)
    cursor.sp()
  }
  const date = cursor.peek() === '"' ? dateTime(cursor) : undefined
  if (date) cursor.sp()
  return { flags, date, content: content(cursor, session) }
}

function content(cursor: Cursor, session: Session): Appending['content'] {
  const kind = session.service.registry.appendData.get(cursor.peekWord())
  if (kind) {
    cursor.word()
    return kind.parse(cursor, session)
  }
  const inUtf8 = cursor.peekWord() === 'UTF8'
  if (inUtf8) cursor.word()
  const { streamed } = inUtf8 ? utf8Literal(cursor, session) : cursor.literal()
  if (!(streamed instanceof AppendedMessage)) throw bad('A message of at least one octet is expected')
  return streamed
}

/** What follows the word in `utf8-literal = "UTF8" SP "(" literal8 ")"` (RFC 6855 §4). */
export function utf8Literal(cursor: Cursor, session: Session): ReturnType<Cursor['literal']> {
  if (!session.utf8Messages) throw bad('UTF8 needs ENABLE UTF8=ACCEPT first')
  cursor.sp()
  cursor.expect('(')
  const literal = cursor.literal()
  cursor.expect(')')
  return literal
}

/** The mailbox may come as a literal too; every later literal is a message. */
function isMailboxLiteral(unit: Unit): boolean {
  return unit.literals.length === 0 && /^\S+ \S+ *$/.test(unit.lines[0] as string)
}

/** What is wrong is said before the client has sent the message. */
async function literal(
  cursor: Cursor,
  session: Session,
  unit: Unit,
  offer: LiteralOffer,
): Promise<LiteralSink | undefined> {
  if (isMailboxLiteral(unit)) return undefined
  return messageLiteral(session, unit, offer, spMailbox(cursor, session))
}

/**
 * The sink for a literal that is a message, or a part of one, for the mailbox `name`; undefined for one that is neither.
 * `gone`: what it takes the place of.
 */
export async function messageLiteral(
  session: Session,
  unit: Unit,
  offer: LiteralOffer,
  name: string,
  gone?: Uid,
): Promise<LiteralSink | undefined> {
  const { limits, registry } = session.service
  for (const kind of registry.appendData.values()) if (kind.holds(session, unit)) return undefined
  if (limits.message > 0 && offer.size > limits.message) throw tooBig(limits.message)
  let octets = offer.size
  let held = 0
  // Each of thousands looks at those before it.
  for (const { streamed } of unit.literals) {
    if (!streamed) continue
    octets += streamed.size
    held += streamed.held
  }
  requireFewer(session, held)
  const target = await session.mailbox(name, 'i', 'TRYCREATE')
  await requireQuota(session, target, octets, gone)
  const room = roomFor(session, offer.size)
  try {
    for (const kind of registry.appendData.values()) {
      const sink = kind.literal(session, unit, offer, room)
      if (sink) return sink
    }
    if (offer.size === 0) throw no('CANNOT', 'A message without any octets cannot be stored')
    return offer.binary ? new BinarySink(session, room) : new MessageSink(session, room)
  } catch (error) {
    room[Symbol.dispose]()
    throw error
  }
}

/** The store decides when all is there, by the same rule; what it would refuse in any case does not have to be sent. */
async function requireQuota(session: Session, target: VisibleMailbox, octets: number, gone?: Uid): Promise<void> {
  const { directory } = session.service
  const quota = (await directory.account(target.account))?.quota ?? 0
  if (quota === 0) return
  const used = (await directory.usage(target.account)).octets
  if (used + octets <= quota) return
  const freed = gone === undefined ? 0 : await freedBy(session, target, gone)
  if (octets > freed && used + octets - freed > quota)
    throw new StoreError('over-quota', `the quota is ${quota} octets`)
}

/** Octets that the owner of the target gets back with the message. */
async function freedBy(session: Session, target: VisibleMailbox, uid: Uid): Promise<number> {
  const { mailbox } = session.selected.open
  if (mailbox.account !== target.account) return 0
  for await (const [row] of session.service.mail.fetch(mailbox.id, UidSet.of(uid), {})) return row?.size ?? 0
  return 0
}

async function run(session: Session, { name, messages }: Args): Promise<{ code: string }> {
  // Not as it was when the literal began: the mailbox, or the right, may be gone since, and the store asks for no right.
  const target = await session.mailbox(name, 'i', 'TRYCREATE')
  const appends = await newAppends(session, messages)
  const appended = await session.service.mail.append(target.id, appends, actingOn(session, target, false))
  await tookIn(session, target, appends, appended)
  return { code: `APPENDUID ${appended.uidValidity} ${appended.uids}` }
}

/** The messages as the store takes them; what is to be made is made. Nothing is left of them when one cannot be. */
export async function newAppends(session: Session, messages: readonly Appending[]): Promise<NewAppend[]> {
  const { clock } = session.service
  const made: AppendedMessage[] = []
  let held = 0
  try {
    for (const { content } of messages) {
      requireFewer(session, held)
      const message = typeof content === 'function' ? await content(session) : content
      made.push(message)
      held += message.held
    }
  } catch (error) {
    for (const message of made) message.discard()
    throw error
  }
  return messages.map(({ flags, date }, index) => ({
    message: (made[index] as AppendedMessage).take(),
    flags,
    internalDate: date ?? { at: clock.now(), offsetMinutes: 0 },
  }))
}

/** The messages have come into the mailbox. */
export async function tookIn(
  session: Session,
  target: VisibleMailbox,
  appends: readonly NewAppend[],
  { uids }: Appended,
): Promise<void> {
  session.service.mailboxes.touch(target.id)
  session.notifier?.own.added(target.id, uids)
  if (target.specialUse === '\\Sent') await dropSuperseded(session, target, appends)
}

/**
 * Whoever appends to Sent what it has just submitted brings the better copy: it has the blind recipients. Mailboxes of
 * others have no special use, so that nobody takes a copy of another account away.
 */
async function dropSuperseded(session: Session, target: VisibleMailbox, appends: readonly NewAppend[]): Promise<void> {
  const { mail, mailboxes, supersededCopy, log } = session.service
  if (!supersededCopy) return
  try {
    for (const { message } of appends) {
      const copy = await supersededCopy(target.account, message.index.messageIdHeader)
      if (copy?.mailbox !== target.id) continue
      await mail.expunge(target.id, UidSet.of(copy.uid), 'all')
      mailboxes.touch(target.id)
    }
  } catch (error) {
    // The message is stored: two copies are no reason to say that it is not.
    log.warn({ err: error }, 'the copy in Sent stays beside the appended one')
  }
}

export const append = {
  name: 'APPEND',
  rfc: 'RFC 9051 §6.3.12',
  states: loggedIn,
  effects: {},
  parse,
  run,
  literal,
} satisfies Command<Args>

/** SELECT and EXAMINE: the only way into the selected state. Whatever comes of it, the mailbox before is closed first. */

import { StoreError } from '@pennypost/model'
import { rightsOn, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, type Completion, loggedIn } from '../command.ts'
import { distinctNames } from '../grammar/known-names.ts'
import { type WrittenMailbox, writtenMailbox } from '../grammar/mailbox.ts'
import type { Session } from '../session/session.ts'
import { sayFlagNames } from '../session/tell-changes.ts'
import { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'
import { sayListed, sayNormalized } from './list.ts'

interface Args extends WrittenMailbox {
  parameters: ((session: Session, view: View) => void | Promise<void>)[]
}

/** `mailbox [SP "(" select-param *(SP select-param) ")"]` (RFC 4466 §2.1) */
function parse(cursor: Cursor, session: Session): Args {
  session.ifRefused(() => closeSelected(session))
  cursor.sp()
  const mailbox = writtenMailbox(cursor.astring('Mailbox name'), session.utf8Names)
  const parameters: Args['parameters'] = []
  if (cursor.skip(' ')) {
    distinctNames(cursor, session, 'Parameter', session.service.registry.selectParameters, (kind) =>
      parameters.push(kind.parse(cursor, session)),
    )
  }
  return { ...mailbox, parameters }
}

function closeSelected(session: Session): void {
  if (!session.view) return
  session.unselect()
  session.untagged('OK [CLOSED] The mailbox before is closed')
}

async function open(session: Session, { name, written, parameters }: Args, readOnly: boolean): Promise<Completion> {
  closeSelected(session)
  const { mail, mailboxes } = session.service
  const found = await session.mailbox(name, 'r')
  const viewer = found.shared && session.user.id
  const shared = await mailboxes.open(found, viewer)
  let recentFrom: number = found.recentUid
  try {
    // All claimed already: then nothing has to be written.
    if (!readOnly && !viewer && recentFrom < shared.uidNext) {
      recentFrom = await mail.claimRecent(found.id).catch((error) => notClaimed(session, found, error))
    }
    recentFrom = Math.max(recentFrom, shared.recentFrom)
  } catch (error) {
    mailboxes.release(shared)
    throw error
  }
  if (session.connection.closed) {
    mailboxes.release(shared)
    return {}
  }
  // Nothing is awaited from here to the last of the responses: they tell of one state, that of the view.
  const view = new View(shared, readOnly, found.name, rightsOn(found))
  session.view = view
  // What is \Recent is the owner's.
  if (!viewer && view.lastUid >= recentFrom) view.addRecent(recentFrom)
  if (!readOnly && !viewer) shared.recentFrom = Math.max(shared.recentFrom, view.lastUid + 1)
  describe(session, view, found)
  sayNormalized(session, { name: view.name, written })
  try {
    for (const run of parameters) await run(session, view)
  } catch (error) {
    session.unselect()
    throw error
  }
  // RFC 4314 §5.2: \Seen of one's own is no reason to call it writable.
  const writable = !readOnly && /[iewt]/.test(view.rights)
  return { code: writable ? 'READ-WRITE' : 'READ-ONLY', text: `${readOnly ? 'EXAMINE' : 'SELECT'} completed` }
}

/** What the store cannot write, as on a full disk, keeps nobody from the mailbox: its messages are \Recent once more then. */
function notClaimed({ log }: Session, { recentUid }: VisibleMailbox, error: unknown): number {
  if (!(error instanceof StoreError) || error.reason === 'no-such-mailbox') throw error
  log.warn({ err: error }, '\\Recent not kept')
  return recentUid
}

/** The untagged responses that must come (RFC 9051 §6.3.2), those of RFC 3501 for who has not enabled IMAP4rev2. */
function describe(session: Session, view: View, mailbox: VisibleMailbox): void {
  const { open } = view
  sayFlagNames(session, view)
  session.untagged(`${view.count} EXISTS`)
  if (!session.rev2) {
    session.untagged(`${view.recentCount} RECENT`)
    // The view is the shared state as it stands now.
    const unseen = open.firstUnseen() + 1
    if (unseen > 0) session.untagged(`OK [UNSEEN ${unseen}] First unseen message`)
  }
  session.untagged(`OK [UIDVALIDITY ${open.mailbox.uidValidity}] UIDs are valid`)
  session.untagged(`OK [UIDNEXT ${open.uidNext}] Predicted next UID`)
  if (session.rev2) {
    sayListed(session, { name: view.name, mailbox, subscribed: false, inHierarchy: true, hasChildren: undefined })
  }
  for (const extension of session.service.registry.extensions) extension.onSelect?.(session, view)
}

export const select = {
  name: 'SELECT',
  rfc: 'RFC 9051 §6.3.2',
  states: loggedIn,
  effects: { opens: true },
  parse,
  run: (session, args) => open(session, args, false),
} satisfies Command<Args>

export const examine = {
  name: 'EXAMINE',
  rfc: 'RFC 9051 §6.3.3',
  states: loggedIn,
  effects: { opens: true },
  parse,
  run: (session, args) => open(session, args, true),
} satisfies Command<Args>

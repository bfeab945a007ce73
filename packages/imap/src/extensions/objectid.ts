import { createHash } from 'node:crypto'
import { type FetchedMessage, type Mailbox, UidSet } from '@pennypost/model'
import type { Extension, SearchKeyKind } from '../extension.ts'
import { type FetchItem, rowOf } from '../fetch/fetch-item.ts'
import { bad } from '../refusal.ts'
import { nothingMatches } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * Names for mailboxes and messages that outlive RENAME, COPY and MOVE (RFC 8474). There are no threads: THREADID is NIL.
 *
 * Never broken: what two messages with one EMAILID show is the same. Copies share the stored message, yet an engine may
 * use the number of a removed one again, and copies for several addresses differ in their delivery block: therefore
 * the digest of the header section is part of it.
 */

/** Ids of mailboxes are unique; UIDVALIDITY stands for an engine that should ever use one again. */
function mailboxObjectId({ id, uidValidity }: Mailbox): string {
  return `F${id}-${uidValidity}`
}

function emailObjectId({ message, header }: FetchedMessage): string {
  return `${messagePrefix(message)}${createHash('sha256')
    .update(header ?? '')
    .digest('hex')
    .slice(0, 16)}`
}

function messagePrefix(message: number): string {
  return `M${message}-`
}

const emailId: FetchItem = {
  key: 'EMAILID',
  need: { header: true },
  write: (target) => target.out.text(`EMAILID (${emailObjectId(rowOf(target))})`),
}

const threadId: FetchItem = {
  key: 'THREADID',
  write: ({ out }) => out.text('THREADID NIL'),
}

/** `objectid = 1*255(ALPHA / DIGIT / "_" / "-")` */
function objectId(cursor: Cursor): string {
  cursor.sp()
  const match = cursor.match(/[A-Za-z0-9_-]{1,255}(?![^ )])/y)
  if (!match) throw bad('Object id expected')
  return match[0]
}

/** The store knows no such search: rows are looked through for the message first, its header is read after that. */
async function messagesOf(session: Session, view: View, wanted: string): Promise<UidSet> {
  const { gone, service } = session
  const { mail } = service
  const { id } = view.open.mailbox
  const candidates: number[] = []
  for await (const rows of mail.fetch(id, view.all(), {}, gone)) {
    for (const { uid, message } of rows) if (wanted.startsWith(messagePrefix(message))) candidates.push(uid)
  }
  const found: number[] = []
  if (candidates.length > 0) {
    for await (const rows of mail.fetch(id, UidSet.ofSorted(candidates), { header: true }, gone)) {
      for (const row of rows) if (emailObjectId(row) === wanted) found.push(row.uid)
    }
  }
  return UidSet.ofSorted(found)
}

const searchEmailId: SearchKeyKind = {
  name: 'EMAILID',
  parse(cursor, _, { before }) {
    const wanted = objectId(cursor)
    let uids: UidSet | undefined
    before(async (session, view) => {
      uids = await messagesOf(session, view, wanted)
    })
    return () => {
      if (!uids) throw new Error('the search was not prepared')
      return { key: 'uids', uids }
    }
  },
}

export const objectid: Extension = {
  name: 'OBJECTID',
  rfc: 'RFC 8474',
  capabilities: [{ name: 'OBJECTID' }],
  fetchItems: [
    { name: 'EMAILID', parse: () => emailId },
    { name: 'THREADID', parse: () => threadId },
  ],
  searchKeys: [
    searchEmailId,
    {
      name: 'THREADID',
      parse(cursor) {
        objectId(cursor)
        return () => nothingMatches
      },
    },
  ],
  statusItems: [{ name: 'MAILBOXID', value: (_, mailbox) => `(${mailboxObjectId(mailbox)})` }],
  onSelect(session, { open }) {
    session.untagged(`OK [MAILBOXID (${mailboxObjectId(open.mailbox)})] The name that stays`)
  },
  onCreated: (mailbox) => `MAILBOXID (${mailboxObjectId(mailbox)})`,
}

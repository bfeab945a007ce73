import { createHash } from 'node:crypto'
import { type FetchedMessage, type FetchNeed, type Mailbox, UidSet } from '@pennypost/model'
import type { Extension, SearchKeyKind } from '../extension.ts'
import { type FetchItem, rowOf } from '../fetch/fetch-item.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { View } from '../view/view.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * Names for mailboxes, messages and threads that outlive RENAME, COPY and MOVE (RFC 8474).
 *
 * Never broken: what two messages with one EMAILID show is the same. Copies share the stored message, yet an engine may
 * use the number of a removed one again, and copies for several addresses differ in their delivery block: therefore
 * the digest of the header section is part of it.
 *
 * A thread is named after the first message that its messages refer to, so that what comes later changes no THREADID,
 * and no table of threads is needed. THREADID is never NIL: imapflow up to 1.3.2, and EmailEngine with it, then have no message at all.
 */

/** Ids of mailboxes are unique; UIDVALIDITY stands for an engine that should ever use one again. */
function mailboxObjectId({ id, uidValidity }: Mailbox): string {
  return `F${id}-${uidValidity}`
}

function emailObjectId({ message, header }: FetchedMessage): string {
  return `${messagePrefix(message)}${digest(header ?? '')}`
}

/** A message that neither has an id nor refers to any is a thread of its own. */
function threadObjectId(row: FetchedMessage): string {
  return `T${digest(threadRoot(row) || emailObjectId(row))}`
}

/** Empty where there is none. */
function threadRoot({ index: { references = [], messageIdHeader = '' } = {} }: FetchedMessage): string {
  return references[0] ?? messageIdHeader
}

function digest(octets: Buffer | string): string {
  return createHash('sha256').update(octets).digest('hex').slice(0, 16)
}

function messagePrefix(message: number): string {
  return `M${message}-`
}

const emailId: FetchItem = {
  key: 'EMAILID',
  need: { header: true },
  write: (target) => target.out.text(`EMAILID (${emailObjectId(rowOf(target))})`),
}

const rootNeed: FetchNeed = { index: ['references', 'messageIdHeader'] }
const threadNeed: FetchNeed = { ...rootNeed, header: true }

const threadId: FetchItem = {
  key: 'THREADID',
  need: threadNeed,
  write: (target) => target.out.text(`THREADID (${threadObjectId(rowOf(target))})`),
}

/** `objectid = 1*255(ALPHA / DIGIT / "_" / "-")` */
function objectId(cursor: Cursor): string {
  cursor.sp()
  const match = cursor.match(/[A-Za-z0-9_-]{1,255}(?![^ )])/y)
  if (!match) throw bad('Object id expected')
  return match[0]
}

/** What a message must be to bear an id. */
interface Bears {
  /** Asked first, of every row with this need: whether its header has to be read. */
  need: FetchNeed
  perhaps(row: FetchedMessage): boolean
  surely(row: FetchedMessage): boolean
}

const bearsEmailId = (wanted: string): Bears => ({
  need: {},
  perhaps: ({ message }) => wanted.startsWith(messagePrefix(message)),
  surely: (row) => emailObjectId(row) === wanted,
})

const bearsThreadId = (wanted: string): Bears => ({
  need: rootNeed,
  perhaps: (row) => threadRoot(row) === '' || threadObjectId(row) === wanted,
  surely: (row) => threadObjectId(row) === wanted,
})

/** The store knows no such search. */
async function messagesThat(session: Session, view: View, { need, perhaps, surely }: Bears): Promise<UidSet> {
  const { gone, service } = session
  const { mail } = service
  const { id } = view.open.mailbox
  const candidates: number[] = []
  for await (const rows of mail.fetch(id, view.all(), need, gone)) {
    for (const row of rows) if (perhaps(row)) candidates.push(row.uid)
  }
  const found: number[] = []
  if (candidates.length > 0) {
    for await (const rows of mail.fetch(id, UidSet.ofSorted(candidates), threadNeed, gone)) {
      for (const row of rows) if (surely(row)) found.push(row.uid)
    }
  }
  return UidSet.ofSorted(found)
}

function searchKey(name: string, bears: (wanted: string) => Bears): SearchKeyKind {
  return {
    name,
    parse(cursor, _, { before }) {
      const wanted = objectId(cursor)
      let uids: UidSet | undefined
      before(async (session, view) => {
        uids = await messagesThat(session, view, bears(wanted))
      })
      return () => {
        if (!uids) throw new Error('the search was not prepared')
        return { key: 'uids', uids }
      }
    },
  }
}

export const objectid: Extension = {
  name: 'OBJECTID',
  rfc: 'RFC 8474',
  capabilities: [{ name: 'OBJECTID' }],
  fetchItems: [
    { name: 'EMAILID', parse: () => emailId },
    { name: 'THREADID', parse: () => threadId },
  ],
  searchKeys: [searchKey('EMAILID', bearsEmailId), searchKey('THREADID', bearsThreadId)],
  statusItems: [{ name: 'MAILBOXID', value: (_, mailbox) => `(${mailboxObjectId(mailbox)})` }],
  onSelect(session, { open }) {
    session.untagged(`OK [MAILBOXID (${mailboxObjectId(open.mailbox)})] The name that stays`)
  },
  onCreated: (mailbox) => `MAILBOXID (${mailboxObjectId(mailbox)})`,
}

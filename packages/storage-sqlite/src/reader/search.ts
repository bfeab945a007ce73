import {
  type MailboxId,
  type MessageId,
  matches,
  type SearchQuery,
  type SearchSubject,
  type SearchText,
  searchNeeds,
  UidSet,
} from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import { readBody } from './bodies.ts'
import { requireMailbox } from './mailboxes.ts'
import { nextTurn, type Reader } from './reader.ts'
import { SpanCursor } from './spans.ts'

/**
 * SEARCH by going over rows in pages. What flags and row columns decide is decided first; only messages that pass are
 * read with header or body. Exact: what an index says some day is checked the same way.
 */
export interface SearchRequest {
  mailbox: MailboxId
  query: SearchQuery
  within: UidSet
  text: SearchText
  files: ContentFiles
  signal: AbortSignal | undefined
}

export async function searchMailbox(reader: Reader, request: SearchRequest): Promise<UidSet> {
  requireMailbox(reader, request.mailbox)
  const need = searchNeeds(request.query)
  if (need === 'flags' || need === 'row') return collect(reader, request, need)
  const cheap = cheapPart(request.query)
  const within = cheap
    ? await collect(reader, { ...request, query: cheap }, searchNeeds(cheap) === 'row' ? 'row' : 'flags')
    : request.within
  return within.isEmpty ? within : collect(reader, { ...request, within }, need)
}

/** Of a conjunction, the keys that need neither header nor body. */
function cheapPart(query: SearchQuery): SearchQuery | undefined {
  if (query.key !== 'and') return undefined
  const queries = query.queries.filter((inner) => ['flags', 'row'].includes(searchNeeds(inner)))
  return queries.length > 0 ? { key: 'and', queries } : undefined
}

type Need = ReturnType<typeof searchNeeds>

const marks = 'FROM marks WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?'
const filings = `FROM marks JOIN filings USING (mailbox, uid) JOIN messages ON messages.id = message`
const range = 'WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?'
const rowColumns = 'uid, flags, modseq, size, internal_at, internal_offset, saved_at, sent_day'
const selects: Record<Need, string> = {
  flags: `SELECT uid, flags, modseq ${marks}`,
  row: `SELECT ${rowColumns} ${filings} ${range}`,
  header: `SELECT ${rowColumns}, delivery, header ${filings} JOIN contents USING (message) ${range}`,
  body: `SELECT ${rowColumns}, delivery, header, parts, body, message ${filings} JOIN contents USING (message) ${range}`,
}

/** Large bodies that are read from files: one at a time. */
async function collect(reader: Reader, request: SearchRequest, need: Need): Promise<UidSet> {
  const { query, within, text, files, signal } = request
  const cursor = new SpanCursor(within)
  const found: number[] = []
  for (let first = true; cursor.current; first = false) {
    if (!first) await nextTurn()
    signal?.throwIfAborted()
    reader.requireOpen()
    for (const subject of readSubjects(reader, request, need, cursor)) {
      if (subject.largeBody === undefined) {
        if (matches(query, subject)) found.push(subject.uid)
        continue
      }
      const body = await wholeBody(reader, files, subject.largeBody)
      const { parts } = subject
      if (matches(query, { ...subject, bodyTexts: () => text.bodyTexts(parts, body) })) found.push(subject.uid)
    }
  }
  return UidSet.ofSorted(found)
}

interface ReadSubject extends SearchSubject {
  parts: string
  /** The message whose body is in a file. */
  largeBody: MessageId | undefined
}

/** Rows without text are small: more of them make a page. */
const flagRows = 5000

function readSubjects(reader: Reader, request: SearchRequest, need: Need, cursor: SpanCursor): ReadSubject[] {
  const { mailbox, within, text } = request
  const statement = reader.raw(selects[need])
  const page = reader.page()
  const subjects: ReadSubject[] = []
  let left = need === 'flags' ? flagRows : 250
  for (let span = cursor.current; span && left > 0; span = cursor.current) {
    let isFull = false
    for (const row of statement.iterate(mailbox, span[0], span[1], left) as IterableIterator<unknown[]>) {
      left--
      if (within.has(row[0] as number)) subjects.push(subjectOf(row, need, text))
      const octets = need === 'header' || need === 'body' ? octetsOf(row) : 0
      isFull = left === 0 || (need !== 'flags' && page.add(octets))
      if (isFull) {
        cursor.readUpTo(row[0] as number)
        break
      }
    }
    if (isFull) break
    cursor.exhausted()
  }
  return subjects
}

function octetsOf(row: readonly unknown[]): number {
  return (row[9] as Buffer).length + ((row[11] as Buffer | null | undefined)?.length ?? 0)
}

function subjectOf(row: readonly unknown[], need: Need, text: SearchText): ReadSubject {
  const subject: ReadSubject = {
    uid: row[0] as number,
    flags: row[1] as number,
    modSeq: row[2] as number,
    parts: '',
    largeBody: undefined,
  }
  if (need === 'flags') return subject
  subject.row = {
    size: row[3] as number,
    internalDate: { at: row[4] as number, offsetMinutes: row[5] as number },
    savedAt: row[6] as number,
    sentDay: row[7] as number | null,
  }
  if (need === 'row') return subject
  subject.headerText = () => text.headerText(row[8] as Buffer) + text.headerText(row[9] as Buffer)
  if (need === 'header') return subject
  subject.parts = row[10] as string
  const body = row[11] as Buffer | null
  if (body) subject.bodyTexts = () => text.bodyTexts(subject.parts, body)
  else subject.largeBody = row[12] as MessageId
  return subject
}

async function wholeBody(reader: Reader, files: ContentFiles, message: MessageId): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(readBody(reader, files, message, 0, undefined)))
}

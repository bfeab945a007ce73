import {
  countKeys,
  divideQuery,
  type MailboxId,
  matches,
  nextTurn,
  type SearchQuery,
  type SearchSubject,
  searchNeeds,
  UidSet,
} from '@pennypost/model'
import { requireMailbox } from './mailboxes.ts'
import type { Reader } from './reader.ts'
import { SpanCursor } from './spans.ts'

/**
 * SEARCH by what rows tell, on the main thread in pages. What asks for text goes to the search thread (`search/`), which
 * gets only the messages that pass here.
 */
export interface SearchRequest {
  mailbox: MailboxId
  query: SearchQuery
  within: UidSet
  signal: AbortSignal | undefined
}

/** `searchText` answers what asks for text. Rejects with `no-such-mailbox`. */
export async function searchMailbox(
  reader: Reader,
  request: SearchRequest,
  searchText: (request: SearchRequest) => Promise<UidSet>,
): Promise<UidSet> {
  requireMailbox(reader, request.mailbox)
  const { ofRows, ofText } = divideQuery(request.query)
  const within = ofRows ? await readRows(reader, { ...request, query: ofRows }) : request.within
  if (!ofText || within.isEmpty) return within
  return searchText({ ...request, query: ofText, within })
}

const range = 'WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?'
const selects = {
  flags: `SELECT uid, flags, modseq FROM marks ${range}`,
  row: `SELECT uid, flags, modseq, size, internal_at, internal_offset, saved_at, sent_day
    FROM marks JOIN filings USING (mailbox, uid) JOIN messages ON messages.id = message ${range}`,
}
/** Rows of a page, each for one key; of many keys, so many that reading them is not the most of it. */
const pageRows = { flags: 5000, row: 250 }
const leastRows = 10

async function readRows(reader: Reader, { mailbox, query, within, signal }: SearchRequest): Promise<UidSet> {
  const need = searchNeeds(query) === 'flags' ? 'flags' : 'row'
  const cursor = new SpanCursor(within)
  const found: number[] = []
  const page = Math.max(leastRows, Math.ceil(pageRows[need] / countKeys(query)))
  for (let first = true; cursor.current; first = false) {
    if (!first) await nextTurn()
    signal?.throwIfAborted()
    let left = page
    for (let span = cursor.current; span && left > 0; span = cursor.current) {
      const rows = reader.raw(selects[need]).all(mailbox, span[0], span[1], left) as unknown[][]
      for (const row of rows) {
        const subject = subjectOf(row)
        if (within.has(subject.uid) && matches(query, subject)) found.push(subject.uid)
      }
      if (rows.length < left) cursor.exhausted()
      else cursor.readUpTo(rows.at(-1)?.[0] as number)
      left -= rows.length
    }
  }
  return UidSet.ofSorted(found)
}

function subjectOf(row: readonly unknown[]): SearchSubject {
  const subject: SearchSubject = { uid: row[0] as number, flags: row[1] as number, modSeq: row[2] as number }
  if (row.length > 3) {
    subject.row = {
      size: row[3] as number,
      internalDate: { at: row[4] as number, offsetMinutes: row[5] as number },
      savedAt: row[6] as number,
      sentDay: row[7] as number | null,
    }
  }
  return subject
}

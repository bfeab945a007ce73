import type { FetchedMessage, FetchNeed, JourneyId, MessageId, Uid } from '@pennypost/model'
import { allIndexFields, indexReader } from '../message-columns.ts'
import { pageRows } from './reader.ts'

/** What FETCH reads: made once for a command out of its need, then used for every page of it. */
export interface FetchPlan {
  /** Many rows at once, in which what is large is NULL: a stranger's header may have megabytes. */
  rows: Queries
  /** One row with all that is in it. */
  whole: Queries
  /** Rows that may be read in one go, since octets in them may be many. */
  mostAtOnce: number
  /** Whether something large was left out of a row. */
  isCut(row: Row): boolean
  read(row: Row): FetchedMessage
}

interface Queries {
  /** `(mailbox, first, last, limit)`, in order of UID. */
  sql: string
  /** `(mailbox, first, last, mailbox, first, last, since, limit)`: with what was expunged after `since`. */
  sqlWithGhosts: string
}

/** Octets of a value that is read among many rows. */
const small = 16 * 1024

/** A column or expression; `large`: the columns that make it large, none of which is ever NULL. */
interface Column {
  sql: string
  large?: readonly string[]
}

export type Row = readonly [Uid, MessageId, number, number, number, number, ...unknown[]]

type Part = (message: FetchedMessage, row: readonly unknown[], at: number) => void

/**
 * The plan for a need; each kind of need is planned once, in whatever order a client names what it wants: plans and their
 * statements are kept, and there must not be as many as there are orders.
 */
export function planFetch(need: FetchNeed): FetchPlan {
  const { uidl, journey, header, headerText, body } = need
  const index = need.index && allIndexFields.filter((field) => need.index?.includes(field))
  const kind = `${[uidl, journey, header, headerText, body].map((flag) => (flag ? '1' : '0')).join('')} ${index ?? '-'}`
  let plan = plans.get(kind)
  if (!plan) plans.set(kind, (plan = makePlan(index ? { ...need, index } : need)))
  return plan
}

const plans = new Map<string, FetchPlan>()

function makePlan(need: FetchNeed): FetchPlan {
  const columns: Column[] = ['uid', 'message', 'size', 'internal_at', 'internal_offset', 'saved_at'].map(plain)
  const parts: { put: Part; at: number }[] = []
  const add = (more: readonly (Column | string)[], put: Part): void => {
    parts.push({ put, at: columns.length })
    columns.push(...more.map(plain))
  }
  if (need.uidl) add(['uidl'], (message, row, at) => void (message.uidl = row[at] as string))
  if (need.journey) add(['journey'], (message, row, at) => void (message.journey = row[at] as JourneyId | null))
  const index = need.index && indexReader(need.index)
  if (index) add(index.columns.map(guarded), (message, row, at) => void (message.index = index.read(row, at)))
  addOctets(need, add)
  const hasOctets = need.header || need.headerText || need.body
  const joins =
    (index?.needsMessages ? ' JOIN messages ON messages.id = message' : '') +
    (hasOctets ? ' JOIN contents USING (message)' : '')
  const queries = (expression: (column: Column) => string): Queries => {
    const select = `SELECT ${columns.map(expression).join(', ')} FROM`
    return {
      sql: `${select} filings${joins} WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
      sqlWithGhosts: `${select} (${filingsAndGhosts})${joins} ORDER BY uid LIMIT ?`,
    }
  }
  const cut = columns.flatMap(({ large }, at) => (large ? [at] : []))
  return {
    rows: queries(unlessLarge),
    whole: queries(({ sql }) => sql),
    mostAtOnce: need.body ? 32 : hasOctets ? 100 : pageRows,
    isCut: (row) => cut.some((at) => row[at] === null),
    read(row) {
      const message: FetchedMessage = {
        uid: row[0],
        message: row[1],
        size: row[2],
        internalDate: { at: row[3], offsetMinutes: row[4] },
        savedAt: row[5],
      }
      for (const { put, at } of parts) put(message, row, at)
      return message
    },
  }
}

function plain(column: Column | string): Column {
  return typeof column === 'string' ? { sql: column } : column
}

/** Those of the index that may be as large as a header section, or larger. */
const largeColumns = ['envelope', 'structure', 'parts', 'thread_ids'].map((name) => `messages.${name}`)

function guarded(column: string): Column {
  return largeColumns.includes(column) ? { sql: column, large: [column] } : { sql: column }
}

/** How long a value is stands before it: what is large is not read for that. */
function unlessLarge({ sql, large }: Column): string {
  if (!large) return sql
  return `iif(${large.map((column) => `octet_length(${column})`).join(' + ')} <= ${small}, ${sql}, NULL)`
}

type Add = (columns: readonly (Column | string)[], put: Part) => void

const ofHeader = ['delivery', 'header']

function addOctets(need: FetchNeed, add: Add): void {
  if (need.header) {
    const sql = 'CAST(delivery || header AS BLOB)'
    add([{ sql, large: ofHeader }], (message, row, at) => void (message.header = row[at] as Buffer))
  }
  if (need.headerText) {
    // Read as UTF-8: where there is anything but ASCII, the text has fewer characters than octets, or stands for more.
    const sql = 'delivery || header'
    add([{ sql, large: ofHeader }, 'length(delivery) + length(header)'], (message, row, at) => {
      const text = row[at] as string
      if (text.length === row[at + 1] && Buffer.byteLength(text) === text.length) message.headerText = text
    })
  }
  if (need.body) add(['body'], (message, row, at) => void (message.body = row[at] as Buffer | null))
}

const ofFiling = 'uid, message, size, internal_at, internal_offset, saved_at, uidl, journey, delivery'
const filingsAndGhosts = `SELECT ${ofFiling} FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?
  UNION ALL SELECT ${ofFiling} FROM ghosts WHERE mailbox = ? AND uid BETWEEN ? AND ? AND expunged_modseq > ?`

import type { FetchedMessage, FetchNeed, JourneyId, MessageId, MessageIndex, Uid } from '@pennypost/model'
import { fromIndexRow, indexColumnCount, indexFields, storedIndexColumns } from '../message-columns.ts'

/** What FETCH reads: made once for a command out of its need, then used for every page of it. */
export interface FetchPlan {
  /** `(mailbox, first, last, limit)`, in order of UID. */
  sql: string
  /** `(mailbox, first, last, mailbox, first, last, since, limit)`: with what was expunged after `since`. */
  sqlWithGhosts: string
  /** Rows that may be read in one go, since octets in them may be many. */
  mostAtOnce: number
  read(row: Row): FetchedMessage
}

export type Row = readonly [Uid, MessageId, number, number, number, number, ...unknown[]]

type Part = (message: FetchedMessage, row: readonly unknown[], at: number) => void

/** The plan for a need; each kind of need is planned once. */
export function planFetch(need: FetchNeed): FetchPlan {
  const kind = kindOf(need)
  let plan = plans.get(kind)
  if (!plan) plans.set(kind, (plan = makePlan(need)))
  return plan
}

const plans = new Map<string, FetchPlan>()

function kindOf({ uidl, journey, openEnd, index, fields, envelope, structure, ...octets }: FetchNeed): string {
  const { header, headerText, body } = octets
  const needs = [uidl, journey, openEnd, index, envelope, structure, header, headerText, body]
  const flags = needs.map((flag) => (flag ? '1' : '0'))
  return fields ? `${flags.join('')} ${fields}` : flags.join('')
}

function makePlan(need: FetchNeed): FetchPlan {
  const columns = ['uid, message, size, internal_at, internal_offset, saved_at']
  const parts: { put: Part; at: number }[] = []
  let count = 6
  const add = (text: string, size: number, put: Part): void => {
    columns.push(text)
    parts.push({ put, at: count })
    count += size
  }
  addFiling(need, add)
  addIndex(need, add)
  addOctets(need, add)
  const hasOctets = need.header || need.headerText || need.body
  const joins =
    (need.index || need.fields || need.envelope || need.structure ? ' JOIN messages ON messages.id = message' : '') +
    (hasOctets ? ' JOIN contents USING (message)' : '')
  const select = `SELECT ${columns.join(', ')} FROM`
  return {
    sql: `${select} filings${joins} WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
    sqlWithGhosts: `${select} (${filingsAndGhosts})${joins} ORDER BY uid LIMIT ?`,
    mostAtOnce: need.body ? 32 : hasOctets ? 100 : Number.POSITIVE_INFINITY,
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

type Add = (text: string, size: number, put: Part) => void

function addFiling(need: FetchNeed, add: Add): void {
  if (need.uidl) add('uidl', 1, (message, row, at) => void (message.uidl = row[at] as string))
  if (need.journey) add('journey', 1, (message, row, at) => void (message.journey = row[at] as JourneyId | null))
  if (need.openEnd) add(isOpenEnded, 1, (message, row, at) => void (message.openEnd = row[at] === 1))
}

// Out of an index in which hardly any message is: the rows themselves are wide.
const isOpenEnded = `EXISTS (
  SELECT 1 FROM messages AS ended INDEXED BY messages_open_end WHERE ended.id = message AND ended.traits & 8
)`

function addIndex(need: FetchNeed, add: Add): void {
  if (need.index) {
    add(storedIndexColumns, indexColumnCount, (message, row, at) => void (message.index = fromIndexRow(row, at)))
  }
  if (need.fields) {
    const fields = need.fields.map((field) => ({ field, ...indexFields[field] }))
    const columns = fields.map(({ column }) => `messages.${column}`).join(', ')
    add(columns || 'NULL', fields.length || 1, (message, row, at) => {
      const values: Record<string, unknown> = {}
      for (const [place, { field, read }] of fields.entries()) values[field] = read(row[at + place])
      message.fields = values as Partial<MessageIndex>
    })
  }
  if (need.envelope) add('envelope', 1, (message, row, at) => void (message.envelope = row[at] as string))
  if (need.structure) add('structure', 1, (message, row, at) => void (message.structure = row[at] as string))
}

function addOctets(need: FetchNeed, add: Add): void {
  if (need.header) {
    const rendered = 'CAST(delivery || header AS BLOB)'
    add(rendered, 1, (message, row, at) => void (message.header = row[at] as Buffer))
  }
  if (need.headerText) {
    // Read as UTF-8: where there is anything but ASCII, the text has fewer characters than octets, or stands for more.
    add('delivery || header, length(delivery) + length(header)', 2, (message, row, at) => {
      const text = row[at] as string
      if (text.length === row[at + 1] && Buffer.byteLength(text) === text.length) message.headerText = text
    })
  }
  if (need.body) add('body', 1, (message, row, at) => void (message.body = row[at] as Buffer | null))
}

const ofFiling = 'uid, message, size, internal_at, internal_offset, saved_at, uidl, journey, delivery'
const filingsAndGhosts = `SELECT ${ofFiling} FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?
  UNION ALL SELECT ${ofFiling} FROM ghosts WHERE mailbox = ? AND uid BETWEEN ? AND ? AND expunged_modseq > ?`

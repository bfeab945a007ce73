import type { FetchedMessage, FetchNeed, JourneyId, MessageId, MessageIndex, Uid } from '@pennypost/model'
import { allIndexFields, indexReader } from '../message-columns.ts'

/** What FETCH reads: made once for a command out of its need, then used for every page of it. */
export interface FetchPlan {
  /** `(mailbox, first, last, limit)`, in order of UID. */
  sql: string
  /** `(mailbox, first, last, mailbox, first, last, since, limit)`: with what was expunged after `since`. */
  sqlWithGhosts: string
  /** Octets in its rows may be many: each is weighed before the next one is read. Where they are not, a page is read in one go. */
  wide: boolean
  read(row: Row): FetchedMessage
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
  const columns = ['uid', 'message', 'size', 'internal_at', 'internal_offset', 'saved_at']
  const parts: { put: Part; at: number }[] = []
  const add = (more: readonly string[], put: Part): void => {
    parts.push({ put, at: columns.length })
    columns.push(...more)
  }
  if (need.uidl) add(['uidl'], (message, row, at) => void (message.uidl = row[at] as string))
  if (need.journey) add(['journey'], (message, row, at) => void (message.journey = row[at] as JourneyId | null))
  const index = need.index && indexReader(need.index)
  if (index) add(index.columns, (message, row, at) => void (message.index = index.read(row, at)))
  addOctets(need, add)
  const hasOctets = Boolean(need.header || need.headerText || need.body)
  const joins =
    (index?.needsMessages ? ' JOIN messages ON messages.id = message' : '') +
    (hasOctets ? ' JOIN contents USING (message)' : '')
  const select = `SELECT ${columns.join(', ')} FROM`
  return {
    sql: `${select} filings${joins} WHERE mailbox = ? AND uid BETWEEN ? AND ? ORDER BY uid LIMIT ?`,
    sqlWithGhosts: `${select} (${filingsAndGhosts})${joins} ORDER BY uid LIMIT ?`,
    wide: hasOctets || (need.index?.some((field) => wideFields.has(field)) ?? false),
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

/** Fields of the index that may be as large as a header section, or larger. */
const wideFields: ReadonlySet<keyof MessageIndex> = new Set(['envelope', 'structure', 'parts', 'references'])

type Add = (columns: readonly string[], put: Part) => void

function addOctets(need: FetchNeed, add: Add): void {
  if (need.header) {
    add(['CAST(delivery || header AS BLOB)'], (message, row, at) => void (message.header = row[at] as Buffer))
  }
  if (need.headerText) {
    // Read as UTF-8: where there is anything but ASCII, the text has fewer characters than octets, or stands for more.
    add(['delivery || header', 'length(delivery) + length(header)'], (message, row, at) => {
      const text = row[at] as string
      if (text.length === row[at + 1] && Buffer.byteLength(text) === text.length) message.headerText = text
    })
  }
  if (need.body) add(['body'], (message, row, at) => void (message.body = row[at] as Buffer | null))
}

const ofFiling = 'uid, message, size, internal_at, internal_offset, saved_at, uidl, journey, delivery'
const filingsAndGhosts = `SELECT ${ofFiling} FROM filings WHERE mailbox = ? AND uid BETWEEN ? AND ?
  UNION ALL SELECT ${ofFiling} FROM ghosts WHERE mailbox = ? AND uid BETWEEN ? AND ? AND expunged_modseq > ?`

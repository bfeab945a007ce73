import type { FetchedMessage, UidSet } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import { codePointOrder } from './code-point-order.ts'
import { mergeSort } from './merge-sort.ts'
import type { SortCriterion } from './sort-key.ts'

/**
 * The UIDs of a set in the order of the criteria; those that are equal by all of them in the order of the mailbox
 * (RFC 5256 §3). What was expunged meanwhile is left out.
 */
export async function runSort(
  session: Session,
  found: UidSet,
  criteria: readonly SortCriterion[],
): Promise<readonly number[]> {
  if (found.isEmpty) return []
  const columns = criteria.map(columnOf)
  const needsIndex = criteria.some(({ key }) => 'text' in key || key.needsIndex)
  const uids: number[] = []
  const { mail } = session.service
  for await (const rows of mail.fetch(session.selected.open.mailbox.id, found, needsIndex ? { index: true } : {})) {
    for (const row of rows) {
      uids.push(row.uid)
      for (const column of columns) column.add(row)
    }
    if (session.connection.closed) return []
  }
  const order = await mergeSort(uids.length, (a, b) => {
    for (const column of columns) {
      const difference = column.compare(a, b)
      if (difference !== 0) return difference
    }
    return a - b
  })
  return Array.from(order, (index) => uids[index] as number)
}

/** What all messages have under one criterion. */
interface Column {
  add(row: FetchedMessage): void
  compare(a: number, b: number): number
}

function columnOf({ key, reverse }: SortCriterion): Column {
  const sign = reverse ? -1 : 1
  if ('number' in key) {
    const numbers: number[] = []
    return {
      add: (row) => void numbers.push(key.number(row)),
      compare: (a, b) => sign * ((numbers[a] as number) - (numbers[b] as number)),
    }
  }
  const texts: string[] = []
  return {
    add: (row) => void texts.push(row.index ? codePointOrder(key.text(row.index)) : ''),
    compare(a, b) {
      const one = texts[a] as string
      const other = texts[b] as string
      return one === other ? 0 : one < other ? -sign : sign
    },
  }
}

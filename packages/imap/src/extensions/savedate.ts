import type { Extension, SearchKeyKind } from '../extension.ts'
import { type FetchItem, rowOf } from '../fetch/fetch-item.ts'
import { date, printDateTime } from '../grammar/date.ts'

/** When a message came into its mailbox; every mailbox here knows it. */
const saveDate: FetchItem = {
  key: 'SAVEDATE',
  need: {},
  write(target) {
    const at = rowOf(target).savedAt
    target.out.text(`SAVEDATE "${printDateTime({ at, offsetMinutes: 0 })}"`)
  },
}

function saved(name: string, relation: 'before' | 'on' | 'since'): SearchKeyKind {
  return {
    name,
    parse(cursor) {
      cursor.sp()
      const day = date(cursor)
      return () => ({ key: 'day', of: 'saved', relation, day })
    },
  }
}

export const savedate: Extension = {
  name: 'SAVEDATE',
  rfc: 'RFC 8514',
  capabilities: [{ name: 'SAVEDATE' }],
  fetchItems: [{ name: 'SAVEDATE', parse: () => saveDate }],
  searchKeys: [
    saved('SAVEDBEFORE', 'before'),
    saved('SAVEDON', 'on'),
    saved('SAVEDSINCE', 'since'),
    { name: 'SAVEDATESUPPORTED', parse: () => () => ({ key: 'all' }) },
  ],
}

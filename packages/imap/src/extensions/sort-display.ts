import type { Extension } from '../extension.ts'
import { displaySortKeys } from '../sort/sort-key.ts'

/** Sorting by the names that a client shows instead of the local parts of addresses. */
export const sortDisplay: Extension = {
  name: 'SORT=DISPLAY',
  rfc: 'RFC 5957',
  requires: ['SORT'],
  capabilities: [{ name: 'SORT=DISPLAY' }],
  sortKeys: displaySortKeys,
}

import type { Extension } from '../extension.ts'

/** RETURN in SORT: its options are those of SEARCH, in the order of the sort (RFC 5267 §3). */
export const esort: Extension = {
  name: 'ESORT',
  rfc: 'RFC 5267',
  requires: ['ESEARCH', 'SORT'],
  capabilities: [{ name: 'ESORT' }],
}

import type { Extension } from '../extension.ts'
import { allFound, countFound, maxFound, minFound } from '../search/esearch.ts'

/** RETURN in SEARCH; what its options say is `search/esearch.ts`. */
export const esearch: Extension = {
  name: 'ESEARCH',
  rfc: 'RFC 4731',
  capabilities: [{ name: 'ESEARCH' }],
  searchReturns: [
    { name: 'MIN', parse: () => minFound },
    { name: 'MAX', parse: () => maxFound },
    { name: 'ALL', lists: true, parse: () => allFound },
    { name: 'COUNT', parse: () => countFound },
  ],
}

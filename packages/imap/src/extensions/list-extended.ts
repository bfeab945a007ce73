import type { Extension } from '../extension.ts'

/** Options of LIST that choose among names; LIST itself reads them (`commands/list.ts`). */
export const listExtended: Extension = {
  name: 'LIST-EXTENDED',
  rfc: 'RFC 5258',
  capabilities: [{ name: 'LIST-EXTENDED' }],
  listSelections: [
    { name: 'SUBSCRIBED', selects: (name) => name.subscribed },
    // No mailbox here is on another server.
    { name: 'REMOTE' },
    { name: 'RECURSIVEMATCH', modifies: true },
  ],
  listReturns: [{ name: 'SUBSCRIBED', parse: () => () => {} }],
}

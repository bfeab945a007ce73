import type { Extension } from '../extension.ts'

/** The attributes are in every LIST response, as RFC 6154 §2 allows; here one can ask for those mailboxes alone. */
export const specialUse: Extension = {
  name: 'SPECIAL-USE',
  rfc: 'RFC 6154',
  capabilities: [{ name: 'SPECIAL-USE' }],
  listSelections: [{ name: 'SPECIAL-USE', selects: (name) => name.mailbox?.specialUse != null }],
  listReturns: [{ name: 'SPECIAL-USE', parse: () => () => {} }],
}

/** The USE parameter, read by CREATE. */
export const createSpecialUse: Extension = {
  name: 'CREATE-SPECIAL-USE',
  rfc: 'RFC 6154',
  capabilities: [{ name: 'CREATE-SPECIAL-USE' }],
}

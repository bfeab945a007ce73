import type { Extension } from '../extension.ts'

/**
 * What ENABLE IMAP4rev2 changes; nearly all that the revision added comes with the extensions that it took up. Names in
 * UTF-8, ESEARCH for SEARCH, no \Recent, LIST at SELECT: see the uses of `session.rev2` and `session.utf8Names`.
 */
export const imap4rev2: Extension = {
  name: 'IMAP4rev2',
  rfc: 'RFC 9051',
  requires: ['ENABLE'],
  capabilities: [{ name: 'IMAP4rev2' }],
  enables: [{ name: 'IMAP4REV2', spelling: 'IMAP4rev2' }],
}

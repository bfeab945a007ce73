import type { Extension } from '../extension.ts'

/** Names and messages in UTF-8: see the uses of `session.utf8Names` and `session.utf8Messages`. */
export const utf8Accept: Extension = {
  name: 'UTF8=ACCEPT',
  rfc: 'RFC 6855',
  requires: ['ENABLE'],
  capabilities: [{ name: 'UTF8=ACCEPT' }],
  enables: [{ name: 'UTF8=ACCEPT' }],
}

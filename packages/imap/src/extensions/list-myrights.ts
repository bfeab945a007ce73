import type { Extension } from '../extension.ts'
import { sayMyRights } from './acl.ts'

/** MYRIGHTS behind each line of LIST. */
export const listMyRights: Extension = {
  name: 'LIST-MYRIGHTS',
  rfc: 'RFC 8440',
  requires: ['ACL', 'LIST-EXTENDED'],
  capabilities: [{ name: 'LIST-MYRIGHTS' }],
  listReturns: [{ name: 'MYRIGHTS', parse: () => (session, mailbox) => sayMyRights(session, mailbox) }],
}

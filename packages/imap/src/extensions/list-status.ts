import { unlessDeleted } from '../access/find-mailbox.ts'
import { hasRight } from '../access/visible-mailbox.ts'
import { sayStatus, statusAtts } from '../commands/status.ts'
import type { Extension } from '../extension.ts'

/** STATUS behind each line of LIST; a mailbox that may not be read has none, nor one that goes meanwhile (§2). */
export const listStatus: Extension = {
  name: 'LIST-STATUS',
  rfc: 'RFC 5819',
  capabilities: [{ name: 'LIST-STATUS' }],
  listReturns: [
    {
      name: 'STATUS',
      parse(cursor, session) {
        cursor.sp()
        const items = statusAtts(cursor, session)
        return (session, mailbox) =>
          hasRight(mailbox, 'r') ? sayStatus(session, mailbox, items).catch(unlessDeleted) : undefined
      },
    },
  ],
}

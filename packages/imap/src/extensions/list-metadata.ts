import type { Extension } from '../extension.ts'
import { askedEntries } from '../metadata/entries.ts'
import { chosen, mayAnnotate, readAnnotations, sayMetadata } from '../metadata/read-annotations.ts'

/** Annotations behind each line of LIST, instead of a GETMETADATA for each mailbox. */
export const listMetadata: Extension = {
  name: 'LIST-METADATA',
  rfc: 'RFC 9590',
  requires: ['METADATA', 'LIST-EXTENDED'],
  capabilities: [{ name: 'LIST-METADATA' }],
  listReturns: [
    {
      name: 'METADATA',
      /** `return-option =/ "METADATA" SP "(" entry *(SP entry) ")"` */
      parse(cursor, session) {
        cursor.sp()
        const entries = askedEntries(cursor, session.service.limits.parameters)
        return async (session, mailbox) => {
          if (!mayAnnotate(mailbox)) return
          sayMetadata(session, mailbox, chosen(await readAnnotations(session, mailbox), entries, 0))
        }
      },
    },
  ],
}

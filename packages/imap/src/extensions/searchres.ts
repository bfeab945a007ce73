import { UidSet } from '@pennypost/model'
import type { Extension, SearchFound, SearchResult } from '../extension.ts'
import type { Session } from '../session/session.ts'

/** `$`: kept as UIDs, so that expunged messages leave it by themselves (RFC 5182 §2.1). */
const save: SearchResult = Object.assign(
  (session: Session, found: SearchFound): undefined => {
    session.selected.saved = found.picked ?? found.uids
  },
  { selectedOnly: true as const },
)

export const searchres: Extension = {
  name: 'SEARCHRES',
  rfc: 'RFC 5182',
  capabilities: [{ name: 'SEARCHRES' }],
  searchReturns: [
    {
      name: 'SAVE',
      parse(_, session) {
        // RFC 5182 §2.1: after a NO nothing is kept, what was kept before neither.
        session.ifRefused(() => {
          if (session.view) session.view.saved = UidSet.empty
        })
        return save
      },
    },
  ],
}

import { UidSet } from '@pennypost/model'
import type { Extension, SearchResult } from '../extension.ts'

/** `$`: kept as UIDs, so that expunged messages leave it by themselves (RFC 5182 §2.1). */
const save: SearchResult = {
  say(session, found) {
    session.selected.saved = found.picked ?? found.uids
    return undefined
  },
  selectedOnly: true,
}

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

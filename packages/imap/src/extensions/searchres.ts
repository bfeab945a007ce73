import type { Extension } from '../extension.ts'

/** `$`: kept as UIDs, so that expunged messages leave it by themselves (RFC 5182 §2.1). */
export const searchres: Extension = {
  name: 'SEARCHRES',
  rfc: 'RFC 5182',
  capabilities: [{ name: 'SEARCHRES' }],
  searchReturns: [
    {
      name: 'SAVE',
      parse: () => (session, found) => {
        session.selected.saved = found.picked ?? found.uids
        return undefined
      },
    },
  ],
}

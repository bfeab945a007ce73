import type { Extension, SearchKeyKind } from '../extension.ts'

/** `("OLDER" / "YOUNGER") SP nz-number`: seconds before now. */
function age(name: string, key: 'older' | 'younger'): SearchKeyKind {
  return {
    name,
    parse(cursor, session) {
      cursor.sp()
      const at = session.service.clock.now() - cursor.nzNumber() * 1000
      return () => ({ key, at })
    },
  }
}

export const within: Extension = {
  name: 'WITHIN',
  rfc: 'RFC 5032',
  capabilities: [{ name: 'WITHIN' }],
  searchKeys: [age('OLDER', 'older'), age('YOUNGER', 'younger')],
}

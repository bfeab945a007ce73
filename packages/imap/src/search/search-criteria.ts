import { searchKeys } from '../grammar/search-program.ts'
import { bad } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'
import { decoderFor } from './charset.ts'
import type { SearchProgram } from './search-key.ts'

/**
 * `search-criteria = charset 1*(SP search-key)` (RFC 5256 §5): the charset is not optional in SORT and THREAD. An
 * unknown one is NO [BADCHARSET]; after ENABLE UTF8=ACCEPT it must be UTF-8 (RFC 6855 §3).
 */
export function searchCriteria(cursor: Cursor, session: Session): SearchProgram {
  const charset = cursor.astring('Charset')
  if (session.utf8Messages && charset.toUpperCase() !== 'UTF-8') throw bad('The charset must be UTF-8 now')
  const decode = decoderFor(charset)
  cursor.sp()
  return searchKeys(cursor, session, decode)
}

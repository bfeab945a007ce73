import { bad, no } from '../refusal.ts'
import { type DecodeText, decoderFor } from '../search/charset.ts'
import { allOf, unnamedKey } from '../search/keys.ts'
import type { SearchKey, SearchProgram } from '../search/search-key.ts'
import type { Session } from '../session/session.ts'
import type { Cursor } from '../wire/cursor.ts'

/** `search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)` */
export function searchProgram(cursor: Cursor, session: Session): SearchProgram {
  let decode = decoderFor(undefined)
  if (cursor.peekWord() === 'CHARSET') {
    cursor.word()
    cursor.sp()
    const charset = cursor.astring('Charset')
    // RFC 6855 §3: once UTF-8 is enabled there is no other charset.
    if (session.utf8Messages) throw bad('CHARSET is not allowed after ENABLE UTF8=ACCEPT')
    decode = decoderFor(charset)
    cursor.sp()
  }
  return searchKeys(cursor, session, decode)
}

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

type Preparation = SearchProgram['prepare']

/** `search-key *(SP search-key)` */
function searchKeys(cursor: Cursor, session: Session, decode: DecodeText): SearchProgram {
  const { limits, registry } = session.service
  let count = 0
  const preparations: Preparation[] = []
  const context = {
    key,
    text: () => decode(cursor.astring('Text')),
    before: (prepare: Preparation) => void preparations.push(prepare),
  }

  /** `search-key` */
  function key(): SearchKey {
    if (++count > limits.searchKeys) throw no('LIMIT', `A search can have ${limits.searchKeys} keys`)
    const unnamed = unnamedKey(cursor, key)
    if (unnamed) return unnamed
    const name = cursor.word('Search key')
    const kind = registry.searchKeys.get(name)
    if (!kind) throw bad(`Unknown search key ${name.slice(0, 40)}`)
    return kind.parse(cursor, session, context)
  }

  const keys = [key()]
  while (cursor.skip(' ')) keys.push(key())
  return {
    key: allOf(keys),
    async prepare(session, view) {
      for (const prepare of preparations) await prepare(session, view)
    },
  }
}

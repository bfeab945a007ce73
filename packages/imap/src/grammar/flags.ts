import { type Flag, isKeyword, systemFlag } from '@pennypost/model'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * `flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension`
 * Unknown system flags can not be stored; \Recent is the server's alone (RFC 9051 §2.3.2).
 */
export function flag(cursor: Cursor): Flag {
  if (!cursor.skip('\\')) {
    const keyword = cursor.atom('Flag')
    if (!isKeyword(keyword)) throw bad('A keyword has 1 to 100 characters of an atom')
    return keyword
  }
  const name = `\\${cursor.atom('Flag')}`
  const system = systemFlag(name)
  if (!system) throw bad(`${name} can not be set`)
  return system
}

/** `flag-list = "(" [flag *(SP flag)] ")"` */
function flagList(cursor: Cursor, limit: number): Flag[] {
  const flags: Flag[] = []
  cursor.list(() => flags.push(flag(cursor)), limit)
  return flags
}

/** A message's flags as APPEND has them. Who copies messages between servers may send \Recent back: it is passed over. */
export function appendFlags(cursor: Cursor, limit = 100): Flag[] {
  const flags: Flag[] = []
  cursor.list(() => {
    if (!cursor.skip('\\RECENT')) flags.push(flag(cursor))
  }, limit)
  return flags
}

/** `store-att-flags = … (flag-list / (flag *(SP flag)))` */
export function storeFlags(cursor: Cursor, limit = 100): Flag[] {
  if (cursor.peek() === '(') return flagList(cursor, limit)
  const flags: Flag[] = []
  do {
    if (flags.length >= limit) throw bad('Too many flags')
    flags.push(flag(cursor))
  } while (cursor.skip(' '))
  return flags
}

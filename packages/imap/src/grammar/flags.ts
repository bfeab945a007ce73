import { type Flag, isKeyword, systemFlag } from '@pennypost/model'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'

/**
 * `flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension`
 * Unknown system flags cannot be stored; \Recent is the server's alone (RFC 9051 §2.3.2).
 */
function flag(cursor: Cursor): Flag {
  if (!cursor.skip('\\')) {
    const keyword = cursor.atom('Flag')
    if (!isKeyword(keyword)) throw bad('A keyword has 1 to 100 characters of an atom')
    return keyword
  }
  const name = `\\${cursor.atom('Flag')}`
  const system = systemFlag(name)
  if (!system) throw bad(`${name} cannot be set`)
  return system
}

/** A message's flags as APPEND has them. Who copies messages between servers may send \Recent back: it is passed over. */
export function appendFlags(cursor: Cursor): Flag[] {
  const flags: Flag[] = []
  cursor.list(() => {
    if (!cursor.skip('\\RECENT')) flags.push(flag(cursor))
  }, mostFlags)
  return flags
}

/** `flag-list = "(" [flag *(SP flag)] ")"`, `store-att-flags = … (flag-list / (flag *(SP flag)))` */
export function storeFlags(cursor: Cursor): Flag[] {
  const flags: Flag[] = []
  const read = (): void => void flags.push(flag(cursor))
  if (cursor.peek() === '(') {
    cursor.list(read, mostFlags)
    return flags
  }
  do {
    if (flags.length >= mostFlags) throw bad('Too many flags')
    read()
  } while (cursor.skip(' '))
  return flags
}

/** Flags of one command. */
const mostFlags = 100

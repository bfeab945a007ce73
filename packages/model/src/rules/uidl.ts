import type { Uid, UidValidity } from '../ids.ts'

/** POP3's unique id for a message that did not bring one: unique in its account, since each UIDVALIDITY is. */
export function uidlOf(uidValidity: UidValidity, uid: Uid): string {
  return `${uidValidity}.${uid}`
}

/** RFC 1939 §7: 1 to 70 characters, 0x21 to 0x7E. */
export function isUidl(text: string): boolean {
  return /^[\x21-\x7e]{1,70}$/.test(text)
}

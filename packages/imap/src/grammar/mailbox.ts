import { decodeModifiedUtf7, encodeModifiedUtf7 } from '@pennypost/message'
import { mailboxName } from '@pennypost/model'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { type Cursor, isAscii, utf8 } from '../wire/cursor.ts'
import { printAString } from '../wire/strings.ts'

/**
 * Mailbox names between wire and model. Until IMAP4rev2 or UTF8=ACCEPT is enabled they are spelt in modified UTF-7;
 * after that they are UTF-8 (RFC 9051 §5.1, RFC 6855 §3). Who writes UTF-8 without ENABLE can mean nothing else: modified
 * UTF-7 is ASCII.
 */

/** `SP mailbox`, `mailbox = "INBOX" / astring`; NO [CANNOT] when it is no name that a mailbox here can have. */
export function spMailbox(cursor: Cursor, session: Session): string {
  cursor.sp()
  return decodeMailbox(cursor.astring('Mailbox name'), session.utf8Names)
}

/** The model's name of what the wire said. */
export function decodeMailbox(wire: string, utf8Names: boolean): string {
  const name = mailboxName(decodeText(wire, utf8Names))
  if (name === undefined) throw no('CANNOT', 'This cannot be the name of a mailbox')
  return name
}

/** A mailbox name, and how the client wrote it. */
export interface WrittenMailbox {
  name: string
  /** What the client wrote, where that is not in NFC. */
  written: string | undefined
}

/** As `decodeMailbox`, for commands that tell which name it came to (RFC 9051 §6.3.9.7). */
export function writtenMailbox(wire: string, utf8Names: boolean): WrittenMailbox {
  const name = decodeMailbox(wire, utf8Names)
  const text = utf8Names ? utf8(wire) : ''
  return { name, written: text === text.normalize('NFC') ? undefined : text }
}

/**
 * A pattern of LIST. In modified UTF-7 it stays as it is, and is held against the spelling of names: a wildcard may stand
 * in the middle of what is one run to the decoder, and what is no spelling matches nothing.
 */
export function listPattern(wire: string, utf8Names: boolean): string {
  return utf8Names || !isAscii(wire) ? utf8(wire).normalize('NFC') : wire
}

function decodeText(wire: string, utf8Names: boolean): string {
  if (utf8Names || !isAscii(wire)) return utf8(wire).normalize('NFC')
  const text = decodeModifiedUtf7(wire)
  if (text === undefined) throw no('CANNOT', 'Not a name in modified UTF-7')
  return text
}

/** The name as `astring` for a response. */
export function printMailbox(name: string, utf8Names: boolean): string {
  return utf8Names ? printAString(name, true) : printAString(encodeModifiedUtf7(name), false)
}

import { decodeCharset, knowsCharset } from '@pennypost/message'
import { type ImapRefusal, no } from '../refusal.ts'
import { decodeUtf8, isAscii } from '../wire/cursor.ts'

/** The strings of one SEARCH, in the charset that it named (RFC 9051 §6.4.4: UTF-8 when it names none). */
export type DecodeText = (binary: string) => string

/** NO [BADCHARSET] for a charset that is not known, here, and for a string that is not in it, when it is decoded. */
export function decoderFor(charset: string | undefined): DecodeText {
  const name = charset?.toUpperCase() ?? 'UTF-8'
  if (name === 'UTF-8') return utf8
  if (name === 'US-ASCII') return ascii
  if (!knowsCharset(name)) throw badCharset('This charset is not known')
  return (binary) => decodeCharset(Buffer.from(binary, 'latin1'), name)
}

function utf8(binary: string): string {
  const text = decodeUtf8(binary)
  if (text === undefined) throw badCharset('This is not UTF-8')
  return text
}

function ascii(binary: string): string {
  if (!isAscii(binary)) throw badCharset('This is not US-ASCII')
  return binary
}

/** A NO: Jakarta Mail sends ISO-8859-1 when UTF-8 is due, and on a NO, not on a BAD, looks into the messages itself. */
function badCharset(text: string): ImapRefusal {
  return no('BADCHARSET (US-ASCII UTF-8 ISO-8859-1)', text)
}

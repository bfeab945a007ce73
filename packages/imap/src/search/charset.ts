import { decodeCharset, knowsCharset } from '@pennypost/message'
import { bad, no } from '../refusal.ts'
import { utf8 } from '../wire/cursor.ts'

/** The strings of one SEARCH, in the charset that it named (RFC 9051 §6.4.4: UTF-8 when it names none). */
export type DecodeText = (binary: string) => string

export function decoderFor(charset: string | undefined): DecodeText {
  const name = charset?.toUpperCase() ?? 'UTF-8'
  if (name === 'UTF-8') return utf8
  if (name === 'US-ASCII') return ascii
  if (!knowsCharset(name)) throw no('BADCHARSET (US-ASCII UTF-8 ISO-8859-1)', 'This charset is not known')
  return (binary) => decodeCharset(Buffer.from(binary, 'latin1'), name)
}

function ascii(binary: string): string {
  if (/[^\x00-\x7f]/.test(binary)) throw bad('Not US-ASCII')
  return binary
}

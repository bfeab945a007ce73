import { encodeWords } from './encoded-words.ts'

/** Writes header fields that every reader takes: lines of at most 78 characters where white space allows it. */

const softLimit = 78

/** Control characters end nothing and start nothing here: no value can bring a second field. */
const clean = (value: string): string => value.replace(/[\0-\x08\x0a-\x1f\x7f]+/g, ' ').trim()

/** More than a local part can hold of it, in quotes, means nothing. */
const endlessSpace = /([ \t]{64})[ \t]+/g

/** `name: value` folded before white space (RFC 5322 §2.2.3), ended by CRLF. The value is written as it is. */
export function foldField(name: string, value: string): string {
  let lines = ''
  let line = `${name}:`
  const words = ` ${clean(value).replace(endlessSpace, '$1')}`.split(/(?<![ \t])(?=[ \t])/)
  for (const word of words) {
    if (line.length + word.length > softLimit && line !== `${name}:`) {
      lines += `${line}\r\n`
      line = ''
    }
    line += word
  }
  return `${lines}${line}\r\n`
}

/** An unstructured field; not ASCII becomes encoded words. */
export function textField(name: string, text: string): string {
  return foldField(name, encodeWords(clean(text)))
}

/** quoted-string (RFC 5322 §3.2.4) of a text without line ends. */
export function quotedString(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** A phrase in ASCII (RFC 5322 §3.2.5), quoted where it must be; encoded words never are (RFC 2047 §5 (3)). */
export function phraseText(phrase: string): string {
  return /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*$/.test(phrase) ? phrase : quotedString(phrase)
}

/** `Name <local@domain>` with the name quoted or encoded as it must be; the address is written as it is. */
export function formatMailbox(name: string, address: string): string {
  const shown = clean(name)
  if (shown === '') return `<${address}>`
  if (!/^[\x20-\x7e]*$/.test(shown)) return `${encodeWords(shown)} <${address}>`
  return `${phraseText(shown)} <${address}>`
}

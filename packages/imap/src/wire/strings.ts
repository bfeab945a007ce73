/** How values are printed: the inverse of what `Cursor` reads (RFC 9051 §9). */

/** A string as quoted, or as literal where quoting cannot carry it (CR, LF, 8-bit without UTF-8 allowed). */
export function printString(text: string, utf8Allowed: boolean): string {
  if (text.length <= 1000 && (utf8Allowed ? /^[^\0\r\n]*$/ : /^[\x01-\x09\x0b\x0c\x0e-\x7f]*$/).test(text)) {
    return printQuoted(text)
  }
  return `{${Buffer.byteLength(text)}}\r\n${text}`
}

/** The same, NIL for null. */
export function printNString(text: string | null, utf8Allowed: boolean): string {
  return text === null ? 'NIL' : printString(text, utf8Allowed)
}

/** `quoted`; the text must have no CR, LF or NUL. */
export function printQuoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

/** `astring`: an atom where that is enough. */
export function printAString(text: string, utf8Allowed: boolean): string {
  return /^[^\x00-\x20(){%*"\\\x7f-\uffff]+$/.test(text) && text.toUpperCase() !== 'NIL'
    ? text
    : printString(text, utf8Allowed)
}

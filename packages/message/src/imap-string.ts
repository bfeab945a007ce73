/**
 * Strings of IMAP responses in the stored texts (ENVELOPE, BODYSTRUCTURE): always quoted strings, since CR, LF and NUL
 * cannot be in an unfolded value. U+0001 and U+0002 mark extension data in stored structures and so may not occur.
 */

/** nstring (RFC 9051 §9): `NIL`, or a quoted string; not ASCII stays as it is. */
export function nstring(value: string | undefined): string {
  return value === undefined ? 'NIL' : quoted(value)
}

/** quoted (RFC 9051 §9). */
export function quoted(value: string): string {
  if (/^[\x20\x21\x23-\x5b\x5d-\x7e]*$/.test(value)) return `"${value}"`
  const clean = value.toWellFormed().replace(/[\0\x01\x02\r\n]/g, '')
  // A third of the time of one pattern for both.
  return `"${clean.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/**
 * What a mailbox may be called, in every engine: Unicode in NFC (RFC 9051 §5.1), levels divided by `/`, INBOX in any
 * case is INBOX. IMAP's modified UTF-7 is a spelling on the wire and never comes here.
 */
export const delimiter = '/'

export const mailboxNameLimits = { octets: 1000, levels: 32, perAccount: 10_000 } as const

/** The name as stored, or undefined when it is not allowed. */
export function mailboxName(name: string): string | undefined {
  const normal = inboxSpelling(name.normalize('NFC'))
  const levels = normal.split(delimiter)
  if (levels.length > mailboxNameLimits.levels || Buffer.byteLength(normal) > mailboxNameLimits.octets) return undefined
  if (!normal.isWellFormed()) return undefined
  for (const level of levels) {
    // Empty levels, and names that a file system or a client would take for something else.
    if (level === '' || level === '.' || level === '..') return undefined
    // Controls, line separators (RFC 5198 §2), wildcards of LIST.
    if (/[\p{Cc}\u2028\u2029%*]/u.test(level)) return undefined
  }
  return normal
}

/** `inbox` → `INBOX`, `inbox/x` → `INBOX/x`; all else unchanged. */
export function inboxSpelling(name: string): string {
  return /^inbox($|\/)/i.test(name) ? `INBOX${name.slice(5)}` : name
}

/** The superior names of a name, nearest last: `a/b/c` → `a`, `a/b`. */
export function superiors(name: string): string[] {
  const levels = name.split(delimiter)
  return levels.slice(0, -1).map((_, index) => levels.slice(0, index + 1).join(delimiter))
}

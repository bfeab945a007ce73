/**
 * The client's side of an exchange as SMTP, IMAP and POP3 carry it: one line of base64 (RFC 4954 §4, RFC 9051 §6.2.2,
 * RFC 5034 §4). Strict: what is not exactly base64 is refused, since two readings of one credential are one too many.
 */

/** RFC 4954 §4: "the maximum length of an AUTH line is 12288 octets". */
export const maxResponseOctets = 12_288

export type Response =
  | { kind: 'octets'; octets: Buffer }
  /** `*`: the client gives the exchange up. */
  | { kind: 'cancelled' }
  /** Not base64, or too long. */
  | { kind: 'malformed' }

/** A line that answers a challenge, without its terminator. An empty line is an empty response. */
export function decodeResponse(line: Buffer | string): Response {
  if (line.length > maxResponseOctets) return { kind: 'malformed' }
  const text = typeof line === 'string' ? line : line.toString('latin1')
  if (text === '*') return { kind: 'cancelled' }
  const octets = Buffer.from(text, 'base64')
  // Node skips what is not base64 and forgives missing padding; writing it again shows that nothing was skipped.
  return octets.toString('base64') === text ? { kind: 'octets', octets } : { kind: 'malformed' }
}

/** The initial response behind the mechanism's name, where `=` stands for an empty one (RFC 4954 §4). */
export function decodeInitialResponse(text: string): Response {
  if (text === '=') return { kind: 'octets', octets: Buffer.alloc(0) }
  return text === '' ? { kind: 'malformed' } : decodeResponse(text)
}

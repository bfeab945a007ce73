/**
 * The reply of RFC 5321 §4.2 with the enhanced status code of RFC 2034, as one value for both sides: reception prints
 * it, the client reads it (`reply-parser.ts`), the queue and the journey keep it.
 * It must never put a control character on the wire: text from elsewhere may be in `lines`.
 */
export interface Reply {
  /** 200…599. */
  readonly code: number
  /** RFC 3463 `class.subject.detail`, or null: for 3yz, for EHLO, and from peers that send none. */
  readonly enhanced: string | null
  /** At least one; without code, separator and enhanced status code. */
  readonly lines: readonly string[]
}

/** RFC 5321 §4.5.3.1.5: a reply line is at most 512 octets, with its code and its CRLF. */
const longestLineOctets = 512

/** Without `lines` it has one, which is empty. */
export function reply(code: number, enhanced: string | null, ...lines: string[]): Reply {
  return { code, enhanced, lines: lines.length > 0 ? lines : [''] }
}

/** The same reply with another text. */
export function withText(base: Reply, ...lines: string[]): Reply {
  return reply(base.code, base.enhanced, ...lines)
}

/** 2yz. */
export function isPositive(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300
}

/** 5yz. */
export function isPermanent(reply: Reply): boolean {
  return reply.code >= 500 && reply.code < 600
}

/**
 * The reply as it goes on the wire, with CRLFs. RFC 2034 §4: the enhanced code stands on every line. Control characters
 * become spaces, and a line beyond 512 octets is cut, so that no text can break the dialogue; but for a challenge, which
 * is as long as the mechanism made it (RFC 4954 §4).
 */
export function printReply({ code, enhanced, lines }: Reply): string {
  const status = enhanced === null ? '' : `${enhanced} `
  const room = code === 334 ? Number.POSITIVE_INFINITY : longestLineOctets - 6 - status.length
  let printed = ''
  for (let at = 0; at < lines.length; at++) {
    const separator = at === lines.length - 1 ? ' ' : '-'
    printed += `${code}${separator}${status}${cut(lines[at]!.replace(/[\x00-\x1f\x7f]/g, ' '), room)}\r\n`
  }
  return printed
}

/** Characters of a described reply. It is repeated for each recipient: in journey, queue, log and bounce. */
const describedCharacters = 2000

/** One line for journeys, logs and diagnostic codes (RFC 3464 §2.3.6): `550 5.1.1 No such user`. */
export function describeReply({ code, enhanced, lines }: Reply): string {
  const text = `${code}${enhanced === null ? '' : ` ${enhanced}`} ${lines.join(' ')}`.replace(/\p{Cc}/gu, ' ').trimEnd()
  return text.length <= describedCharacters ? text : `${text.slice(0, describedCharacters).toWellFormed()}...`
}

function cut(text: string, octets: number): string {
  if (text.length * 3 <= octets || Buffer.byteLength(text) <= octets) return text
  const whole = Buffer.from(text)
  let end = octets
  while (end > 0 && (whole[end]! & 0xc0) === 0x80) end--
  return whole.toString('utf8', 0, end)
}

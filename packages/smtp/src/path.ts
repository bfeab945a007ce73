import { domainToASCII } from 'node:url'
import { domainFault, parseAddressLiteral } from './domain.ts'
import { type Parsed, parsed, refused } from './parsed.ts'
import { replies } from './replies.ts'
import { withText } from './reply.ts'

/**
 * Mailboxes and paths of RFC 5321 §4.1.2 and RFC 6531 §3.3: what stands in MAIL FROM and RCPT TO.
 * A path is kept as it was received (`text`), because replies, ORCPT and relays need those octets, but for dots that may
 * stand only in quotes: it gets them. Comparing and looking up use `localPart` and `domain`. Source routes are read and dropped (RFC 5321 §3.3 and §C).
 * Who calls it: reception for each MAIL and RCPT, the directory's rules through their callers, the client.
 */
export interface Mailbox {
  /** As received, without angle brackets and source route; quotes are kept, and added where the grammar wants them. */
  readonly text: string
  /** Without quotes and quoting backslashes: `"a b"@x` and `a b` are one name (RFC 5321 §4.1.2). */
  readonly localPart: string
  /** As received, A-labels and case kept; `[…]` for an address literal; '' only for `<postmaster>`. */
  readonly domain: string
}

/**
 * Octets, with angle brackets, without source route. RFC 5321 §4.5.3.1.1–3 say 64 for a local part, 255 for a domain, 256
 * for both, "at least". A local part has no limit of its own here, since bounce addresses that encode a recipient (VERP,
 * SRS) exceed 64 in real mail, ours among them, and refusing the reversePath would lose the letter.
 */
const pathMax = 256

export interface PathOptions {
  /** Whether this transaction may have addresses beyond ASCII. */
  smtpUtf8: boolean
}

const dotString = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/
/** RFC 6531 §3.3 adds UTF8-non-ascii; its C1 controls are left out (RFC 5198 §2). */
const dotStringUtf8 =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{a0}-\u{10ffff}-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{a0}-\u{10ffff}-]+)*$/u
/** What a dot-string would be if its dots could stand anywhere. */
const atomsAndDots = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{a0}-\u{10ffff}.-]+$/u
const quotedContent = /^(?:[ !#-[\]-~]|[\u{a0}-\u{10ffff}]|\\[ -~])*$/u
const ascii = /^[\x00-\x7f]*$/

/** Reads `<…>` or `<>` (null, the null reverse-path) of MAIL. Refusals are 501 5.1.7 and 553 5.6.7. */
export function parseReversePath(text: string, options: PathOptions): Parsed<Mailbox | null> {
  if (text === '<>') return parsed(null)
  const mailbox = parsePath(text, options)
  if (typeof mailbox !== 'string') return parsed(mailbox)
  return refused(mailbox === notAscii ? replies.nonAsciiAddress : withText(replies.badSender, `Bad sender: ${mailbox}`))
}

/** Reads `<…>` or `<postmaster>` (domain '') of RCPT. Refusals are 501 5.1.3 and 553 5.6.7. */
export function parseForwardPath(text: string, options: PathOptions): Parsed<Mailbox> {
  if (/^<postmaster>$/i.test(text)) {
    const name = text.slice(1, -1)
    return parsed({ text: name, localPart: name, domain: '' })
  }
  const mailbox = parsePath(text, options)
  if (typeof mailbox !== 'string') return parsed(mailbox)
  return refused(
    mailbox === notAscii ? replies.nonAsciiAddress : withText(replies.badRecipient, `Bad recipient: ${mailbox}`),
  )
}

/** Reads `local-part@domain` without brackets; a string says what is wrong with it. */
export function parseMailbox(text: string, options: PathOptions): Mailbox | string {
  const at = endOfLocalPart(text)
  if (text === '') return 'it is empty'
  if (at === 0) return 'local part is missing'
  if (text[at] !== '@') return 'it has no @'
  const local = text.slice(0, at)
  const domain = text.slice(at + 1)
  const octets = ascii.test(text) ? text.length : Buffer.byteLength(text)
  if (octets !== text.length && !options.smtpUtf8) return notAscii
  if (octets + 2 > pathMax) return `path is longer than ${pathMax}`

  const localPart = unquote(local)
  if (localPart === null) {
    // Some providers have given out names like `a..b` and `a.`, and management controllers of servers send with them.
    return atomsAndDots.test(local) ? parseMailbox(`"${local}"@${domain}`, options) : 'local part is not valid'
  }
  const fault = domain.startsWith('[') ? literalFault(domain) : domainFault(domain, options.smtpUtf8)
  return fault ?? { text, localPart, domain }
}

/**
 * The same address with A-labels, for a peer without SMTPUTF8 (RFC 6531 §3.2); null when the local part needs it.
 * An ASCII address is returned as it is.
 */
export function toAsciiPath(text: string): string | null {
  if (ascii.test(text)) return text
  const at = endOfLocalPart(text)
  if (at < 1 || !ascii.test(text.slice(0, at))) return null
  const domain = domainToASCII(text.slice(at + 1))
  return domain === '' ? null : `${text.slice(0, at)}@${domain}`
}

const literalFault = (domain: string): string | null =>
  parseAddressLiteral(domain) === null ? 'address literal is not valid' : null

const notAscii = 'it is not ASCII'

function parsePath(text: string, options: PathOptions): Mailbox | string {
  if (!text.startsWith('<') || !text.endsWith('>') || text.length < 2) return 'it must stand in angle brackets'
  if (text[1] !== '@') return parseMailbox(text.slice(1, -1), options)
  // A-d-l ":" Mailbox, where A-d-l = At-domain *( "," At-domain )
  const colon = text.indexOf(':')
  if (colon < 0) return 'local part is missing'
  for (const hop of text.slice(1, colon).split(',')) {
    if (!hop.startsWith('@') || domainFault(hop.slice(1), options.smtpUtf8) !== null) return 'source route is not valid'
  }
  return parseMailbox(text.slice(colon + 1, -1), options)
}

/** Index just behind the local part, quoted or not; of the `@` in a well-formed mailbox. */
function endOfLocalPart(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('@')
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return -1
}

function unquote(local: string): string | null {
  if (!local.startsWith('"')) return dotString.test(local) || dotStringUtf8.test(local) ? local : null
  const inner = local.slice(1, -1)
  return local.length >= 2 && quotedContent.test(inner) ? inner.replace(/\\(.)/g, '$1') : null
}

/**
 * The header section as a signature sees it: fields in order, which of them are signed, and relaxed canonicalization
 * (RFC 6376 §3.4.2). Works on latin1 text, so that every octet, 8-bit ones too, comes out as it went in.
 *
 * Who calls it: the signer and the sealer; and whoever verifies asks it which fields there are.
 */

export interface HeaderField {
  /** In lower case. */
  name: string
  /** With its folding, without the CRLF at the end. */
  text: string
}

/** Splits a header section, with or without the empty line that ends it. What is no field is left out. */
export function splitHeader(header: Buffer): HeaderField[] {
  const text = header.toString('latin1')
  const fields: HeaderField[] = []
  for (let start = 0; start < text.length; ) {
    const end = fieldEnd(text, start)
    const field = text.slice(start, end)
    const colon = field.indexOf(':')
    const name = field.slice(0, colon).trimEnd().toLowerCase()
    if (colon > 0 && /^[!-9;-~]+$/.test(name)) fields.push({ name, text: field })
    start = end + 2
  }
  return fields
}

/** Where the field that starts at `start` ends: before a CRLF that no SP or HTAB follows. */
function fieldEnd(text: string, start: number): number {
  let end = text.indexOf('\r\n', start)
  while (end !== -1 && (text[end + 2] === ' ' || text[end + 2] === '\t')) end = text.indexOf('\r\n', end + 2)
  return end === -1 ? text.length : end
}

/** The canonical form, without CRLF. */
export function relaxField({ name, text }: HeaderField): string {
  const value = text.slice(text.indexOf(':') + 1)
  const relaxed = value.replaceAll('\r\n', '').replaceAll(/[ \t]+/g, ' ')
  return `${name}:${relaxed.replace(/^ /, '').replace(/ $/, '')}`
}

/** Fields that RFC 5322 §3.6 allows once: named once more in h= than they occur, so that none can be added. */
export const allowedOnce = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
]

/** Fields of which every occurrence is signed. RFC 6376 §5.4.1: the core of the message, nothing that hops change. */
const repeated = [
  'resent-from',
  'resent-sender',
  'resent-to',
  'resent-cc',
  'resent-date',
  'resent-message-id',
  'content-id',
  'content-description',
  'list-id',
  'list-help',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'list-subscribe',
  'list-post',
  'list-owner',
  'list-archive',
]

export interface SignedFields {
  /** The value of h=, in the order of `fields`. */
  names: string[]
  /** The fields that exist, in the order in which they are hashed. */
  fields: HeaderField[]
}

/**
 * What to sign; `also` are further fields, of which every occurrence is signed. A field that is absent is not named, so that
 * a mailing list may add its Reply-To or List-Id; From is always there, or there is nothing to sign (§5.4) and the answer is
 * undefined.
 */
export function selectFields(header: readonly HeaderField[], also: readonly string[] = []): SignedFields | undefined {
  const names: string[] = []
  const fields: HeaderField[] = []
  for (const name of [...allowedOnce, ...repeated, ...also]) {
    // Repeated fields are taken from the bottom up (§5.4.2).
    const present = header.filter((field) => field.name === name).reverse()
    for (const field of present) {
      names.push(name)
      fields.push(field)
    }
    if (present.length > 0 && allowedOnce.includes(name)) names.push(name)
  }
  return fields.some(({ name }) => name === 'from') ? { names, fields } : undefined
}

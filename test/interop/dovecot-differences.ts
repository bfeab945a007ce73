/**
 * Where Dovecot 2.3 reads a message otherwise than we do, and why we stay with our reading. A test holds that there is
 * no other difference, and that each of these is still there.
 */
import type { Difference } from './second-opinion.ts'

/** Why, and the names of messages of the torture set. A name that begins with `*` is of two: `…, of the message` and `…, of a part`. */
const reasons: [why: string, ...messages: string[]][] = [
  [
    'RFC 9051 §6.4.5.1: no blank line is added to HEADER.FIELDS where the message has neither body nor blank line; Dovecot adds it, but not to HEADER.FIELDS.NOT.',
    'a header and no empty line behind it',
  ],
  [
    'RFC 5322 §2.2: a line that begins with white space continues a field. The first line continues none, or one of those that are put before it: it is body. Dovecot takes it for a field without a name.',
    'a continuation first',
  ],
  [
    'RFC 2045 §4: without MIME-Version and Content-Type the message is plain text, as its BODYSTRUCTURE says on both sides; Dovecot decodes it for BINARY all the same.',
    'Content-Transfer-Encoding without MIME-Version',
  ],
  [
    'The line end behind the last field could be the end of the header or the start of the delimiter. We take it for the former: then a part of header and empty line has its whole header in MIME and HEADER. Dovecot takes it for the latter and leaves the empty line out.',
    'a part with an empty body',
    'an empty letter in a part',
    'a letter of one empty line',
    'a letter without a body',
  ],
  [
    'RFC 2046 §5.1.1: the line end before a delimiter is the delimiter’s, also when it ends a header. Dovecot counts it to the part, and a line with it.',
    'a letter with a header that a delimiter ends',
    'a letter in base64',
  ],
  [
    'RFC 2046 §5.1.1: where an outer delimiter stands right behind the last one of an inner multipart, the line end between them is the outer one’s. Dovecot counts it to the part.',
    'a boundary that starts another',
    'a digest in a digest',
    'an outer boundary that is longer',
    'the same boundary twice',
  ],
  ['RFC 2046 §5.1.1: a boundary has at least one character, so this multipart has no parts.', 'an empty boundary'],
  [
    'Dovecot cuts boundaries at 80 characters, and takes the closing delimiter for the start of a part.',
    'a boundary of 200 characters',
  ],
  ['RFC 9051 §7.5.2: message/global has an envelope and a structure.', 'message/global'],
  [
    'RFC 2045 §5.2: what cannot be understood is text/plain; what names another type is safer as application/octet-stream. Dovecot gives empty strings, which is no type at all.',
    '*type without a subtype',
    '*unknown word as type',
    '*empty type',
    '*type in quotes',
    '*slash alone',
    '*multipart with an empty subtype',
  ],
  [
    'What can be read of a Content-Type stays: the type though a parameter is wrong, the other parameters though one is.',
    '*no semicolon before a parameter',
    '*a comma before a parameter',
    '*two semicolons',
    '*a parameter without value',
    '*a value with an open quote',
    '*slashes',
    '*control characters',
  ],
  [
    'RFC 2045 §5.1: a parameter stands once; the first counts, as it does for a field that stands twice.',
    '*the same parameter twice',
  ],
  [
    'RFC 2231 §4.1: a segment without `*` in an extended value is literal; percent signs make it say so when it is joined to the others.',
    '*RFC 2231 continuations, extended',
  ],
  [
    'RFC 2231 §3: segments up to the gap are a value; Dovecot shows the segments.',
    '*RFC 2231 continuations with a gap',
  ],
  [
    'RFC 2183 §2.8: what is no known disposition is an attachment; without any parameter there is nothing to say. Dovecot gives an empty string.',
    '*disposition without value',
    '*empty disposition',
  ],
  [
    'An empty Content-Transfer-Encoding is none, which is 7bit (RFC 2045 §6.1); Dovecot refuses to decode it.',
    '*empty encoding',
  ],
  [
    'RFC 2557 §4.4.2: white space in a Content-Location comes from folding and is no part of the URI.',
    '*location',
    '*location that is folded',
  ],
  [
    'RFC 5322 §3.6 wants one; the first counts, since that is what mail programs show. For Dovecot the last counts.',
    'subject twice',
    'date twice',
  ],
  [
    'Lists are read as they were meant: no address is lost because of what stands before it.',
    'address: address behind a group',
    'address: semicolons',
    'address: no comma',
  ],
  ['The name stays a name, though it looks like an address.', 'address: address as name'],
  ['Put together again, mailbox and host are what was written; Dovecot drops the end.', 'address: two at'],
  ['RFC 5322 §3.4.1: space in a domain literal says nothing.', 'address: literal with spaces'],
  ['RFC 5322 §3.2.5: words are what space stands between; there is none.', 'address: quotes against words'],
]

/** Of a message in the torture set, by its name. */
export const argued: ReadonlyMap<string, string> = new Map(
  reasons.flatMap(([why, ...messages]) =>
    messages.flatMap((name) => {
      const names = name.startsWith('*') ? [', of the message', ', of a part'].map((of) => name.slice(1) + of) : [name]
      return names.map((each) => [each, why] as const)
    }),
  ),
)

/** Differences of one kind, in whatever message: what is no address to Dovecot has a placeholder; we keep what can be read. */
export function isArguedFor({ item, theirs }: Difference): boolean {
  return item === 'ENVELOPE' && /"(MISSING_MAILBOX|MISSING_DOMAIN|SYNTAX_ERROR|INVALID_ROUTE)"/.test(theirs)
}

import { isAscii } from 'node:buffer'

/**
 * A quick no for searches: whether the decoded text of a message can have a needle, by a look at its octets. What decoding
 * could have made of them is not asked; `true` says nothing.
 *
 * Never broken: `false` only where the octets are the text. A word of ASCII letters and digits is in such a text only if it
 * is in the octets: no encoding, charset, markup or mending of addresses joins or makes one.
 */

/** `needle` is folded. Without a body only the header section counts. */
export function mayHave(needle: string, header: Buffer, body?: Buffer): boolean {
  if (!/^[A-Z0-9]+$/.test(needle) || mended.some((word) => word.includes(needle)) || !isAscii(header)) return true
  const head = header.toString('latin1').toUpperCase()
  if (head.includes(needle) || needsDecoding.test(head) || oddAddresses.test(head)) return true
  if (!body) return false
  if (bodyNeedsDecoding.test(head) || !isAscii(body)) return true
  const text = body.toString('latin1')
  return text.includes('\x1b') || text.toUpperCase().includes(needle)
}

/** What stands in addresses in the place of what is missing in them. */
const mended = ['MISSING', 'MAILBOX', 'DOMAIN']

/** Encoded words (RFC 2047); two pieces of a word around a quote. */
const needsDecoding = /=\?|[A-Z0-9]"+[A-Z0-9]/

/** Comments and escapes in addresses, which are searched as they are meant, too. */
const oddAddresses = /^(?:FROM|SENDER|REPLY-TO|TO|CC|BCC)[ \t]*:(?:[^\r\n]|\r?\n[ \t])*[(\\]/m

/** Whatever is not plain text of one part in a charset that has ASCII as it is. */
const bodyNeedsDecoding =
  /MULTIPART|MESSAGE\/|HTML|UTF-?7|UTF-?16|UTF-?32|UCS|2022|HZ|EBCDIC|IBM|CP\d|CONTENT-TRANSFER-ENCODING[ \t]*:(?!\s*(?:7BIT|8BIT|BINARY)\s*$)/m

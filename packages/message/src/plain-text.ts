import { isAscii } from 'node:buffer'
import type { PlainText } from '@pennypost/model'

/**
 * A quick no for searches: whether the decoded text of a message can have a word, by a look at its octets. Texts are given
 * in capitals where the octets are the text, so that what does not stand in them is not in the message; where decoding
 * could have made something of them, nothing is given and nothing known.
 *
 * Never broken: a word of ASCII letters and digits is in such a text only if it is in the octets: no encoding, charset,
 * markup or mending of addresses joins or makes one.
 */
export const plainText: PlainText = {
  isWord: (needle) => /^[A-Z0-9]+$/.test(needle) && !mended.some((word) => word.includes(needle)),

  header(header) {
    if (!isAscii(header)) return undefined
    const head = header.toString('latin1').toUpperCase()
    return needsDecoding.test(head) || hasOddAddresses(head) ? undefined : head
  },

  body(head, body) {
    if (bodyNeedsDecoding.test(head) || !isAscii(body)) return undefined
    const text = body.toString('latin1')
    return text.includes('\x1b') ? undefined : text.toUpperCase()
  },
}

/** What stands in addresses in the place of what is missing in them. */
const mended = ['MISSING', 'MAILBOX', 'DOMAIN']

/** Encoded words (RFC 2047); two pieces of a word around a quote. */
const needsDecoding = /=\?|[A-Z0-9]"+[A-Z0-9]/

/** Comments and escapes in addresses, which are searched as they are meant, too. Most headers have none of either. */
function hasOddAddresses(head: string): boolean {
  return (head.includes('(') || head.includes('\\')) && oddAddresses.test(head)
}

const oddAddresses = /^(?:FROM|SENDER|REPLY-TO|TO|CC|BCC)[ \t]*:(?:[^\r\n]|\r?\n[ \t])*[(\\]/m

/** Whatever is not plain text of one part in a charset that has ASCII as it is. */
const bodyNeedsDecoding =
  /MULTIPART|MESSAGE\/|HTML|UTF-?7|UTF-?16|UTF-?32|UCS|2022|HZ|EBCDIC|IBM|CP\d|CONTENT-TRANSFER-ENCODING[ \t]*:(?!\s*(?:7BIT|8BIT|BINARY)\s*$)/m

/**
 * A message of 8-bit octets as one of 7-bit octets (RFC 6152 §3, RFC 2045 §6): what has others is encoded.
 *
 * Never broken: no octet above 127 is left in the body, and every part decodes to what it was. An embedded message whose
 * own header section has such octets is encoded whole, which message/global alone allows (RFC 6532 §3.7). A message that
 * is no MIME becomes one, of charset unknown-8bit (RFC 1428 §3). Signatures over the body do not survive; that is the peer's choice.
 * Who calls it: the relay, for a next hop without 8BITMIME.
 */
import { isAscii } from 'node:buffer'
import { downgradeHeader } from './downgrade.ts'
import type { PartNode } from './parts.ts'
import { type Reencoded, type Rule, reencode } from './reencode.ts'

/** `parts`: the index's part tree of this body. The header section's own octets above 127 stay as they are. */
export function toSevenBit(header: Buffer, body: Buffer, parts: string): Reencoded {
  return reencode(header, body, parts, sevenBit)
}

const sevenBit: Rule = {
  keeps: (_, content) => isAscii(content),
  opens: isOpened,
  header: (octets) => ascii(downgradeHeader(octets)),
  between: ascii,
  opened: '7bit',
  unlabelled: 'text/plain; charset=unknown-8bit',
}

function isOpened({ kind, children: [child] }: PartNode, body: Buffer): boolean {
  if (kind === 'multipart') return true
  return kind === 'message' && child !== undefined && isAscii(body.subarray(child.headerStart, child.bodyStart))
}

/** What stands between parts is not content, and of their headers all that has a form in ASCII has it: the rest becomes question marks. */
function ascii(octets: Buffer): Buffer {
  if (isAscii(octets)) return octets
  const clean = Buffer.from(octets)
  for (let at = 0; at < clean.length; at++) if ((clean[at] as number) > 127) clean[at] = 63
  return clean
}

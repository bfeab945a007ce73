import { createScanner, longestLine, parseHeader, shortLines, valuesOf } from '@pennypost/message'
import type { ReceivedContent } from './content.ts'
import type { Session } from './session.ts'
import type { Transaction } from './transaction.ts'

/** Octets up to which a message is encoded anew: it is in memory for as long. Larger ones go as they are. */
const shortenedAtMost = 16 * 1024 * 1024

/**
 * What is submitted with lines longer than a server has to take (RFC 5322 §2.1.1), encoded so that it has none (RFC 6409
 * §8.4): programs write their HTML in one line, and many servers refuse that. Here, since it is before our signature. Undefined
 * where nothing is to be done: whoever has signed it meant it as it is.
 */
export async function shortened(
  session: Session,
  { room }: Transaction,
  received: ReceivedContent,
): Promise<ReceivedContent | undefined> {
  const { content, scanned, facts, findings } = received
  if (!session.isSubmission || facts.longestLine <= longestLine || content.size > shortenedAtMost) return undefined
  if (scanned.bodySize === 0 || valuesOf(parseHeader(scanned.header), 'dkim-signature').length > 0) return undefined
  const octets = Buffer.concat(await Array.fromAsync(content.read(scanned.headerSize)))
  const { header, body } = shortLines(scanned.header, octets, scanned.index().parts)
  if (body.equals(octets)) return undefined
  const stage = session.options.store.mail.stage(room)
  try {
    const scanner = createScanner()
    for (const piece of [header, body]) {
      scanner.push(piece)
      await stage.write(piece)
    }
    findings.push({ kind: 'finding', check: 'body', result: 'long-lines-encoded' })
    return { ...received, content: await stage.finish(), scanned: scanner.finish() }
  } catch (error) {
    await stage.discard()
    throw error
  }
}

/**
 * Mail that the relay writes itself, DSNs and reports of TLS: staged, scanned, and signed on top of its header.
 *
 * Never broken: what cannot be staged whole leaves nothing staged.
 * Who calls it: the making of DSNs and of TLS reports.
 */
import { createScanner } from '@pennypost/message'
import type { MailStore, NewMessage } from '@pennypost/model'

/** Makes DKIM-Signature fields, each ended by CRLF; '' where there is no key for the domain. */
export interface MessageSigner {
  sign(message: { domain: string; header: Buffer; body(): AsyncIterable<Buffer> }): Promise<string>
}

/** `signature`: the fields to put on top. Rejects with what it, the pieces or the store reject with. */
export async function stageMessage(
  mail: Pick<MailStore, 'stage'>,
  pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
  signature: (header: Buffer, body: () => AsyncIterable<Buffer>) => Promise<string>,
): Promise<NewMessage> {
  const stage = mail.stage()
  try {
    const scanner = createScanner()
    for await (const piece of pieces) {
      scanner.push(piece)
      // The stage owns what it is given; these octets are others' too.
      await stage.write(Buffer.from(piece))
    }
    const scanned = scanner.finish()
    const content = await stage.finish()
    const fields = await signature(scanned.header, () => content.read(scanned.headerSize))
    const header = fields === '' ? scanned.header : Buffer.concat([Buffer.from(fields), scanned.header])
    return { content, bodyStart: scanned.headerSize, header, index: scanned.index({ header }) }
  } catch (error) {
    await stage.discard()
    throw error
  }
}

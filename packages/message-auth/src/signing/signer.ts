import type { Clock, Log } from '@pennypost/model'
import { selectFields, splitHeader } from './header-fields.ts'
import { KeyDirectory } from './key-directory.ts'
import { RelaxedBodyHash } from './relaxed-body.ts'
import { type MessageToSeal, type Sealing, sealMessage } from './sealer.ts'
import { signatureField } from './signature-field.ts'

/**
 * DKIM signing (RFC 6376 §5, RFC 8463): one signature for each key of the domain, so that RSA beside Ed25519 is a
 * matter of having both files.
 *
 * What it must never break: a message of a domain with keys is signed by all usable ones or `sign` rejects; it never
 * quietly goes out unsigned. The body passes through chunk by chunk and is never held.
 *
 * Who calls it: reception for submissions, and to seal what it hands on for strangers; relay for DSNs.
 */

export interface SignerOptions {
  /** Holds `<domain>.<selector>.pem`; need not exist. */
  keyDirectory: string
  clock: Clock
  log: Log
  /** After this long the next message has the directory read again. Default 10 000. */
  recheckMs?: number
}

export interface MessageToSign {
  /** In A-labels; the keys are those of exactly this domain. */
  domain: string
  /** The header section as the next hop gets it, with or without the empty line. CRLF line ends. */
  header: Buffer
  /** What follows the empty line. Not called when the domain has no key. */
  body(): AsyncIterable<Buffer>
}

export interface Signer {
  /**
   * The DKIM-Signature fields to put above `header`, each ended by CRLF; '' when the domain has no key. Rejects with
   * `SigningKeyError` when no key of the domain can be used, with `NothingToSignError` when the header has no From,
   * and with what `body` or reading the directory rejects with. Whoever accepts the message answers 451 4.3.0 then.
   */
  sign(message: MessageToSign): Promise<string>
  /** An ARC set of each domain for what is handed on, or why it has none. Never rejects. */
  seal(message: MessageToSeal): Promise<Sealing[]>
}

/** RFC 6376 §5.4: the From field must be signed. */
export class NothingToSignError extends Error {
  override readonly name = 'NothingToSignError'
}

export function createSigner({ keyDirectory, clock, log, recheckMs = 10_000 }: SignerOptions): Signer {
  const directory = new KeyDirectory({ directory: keyDirectory, clock, log, recheckMs })
  return {
    async sign({ domain, header, body }) {
      const keys = await directory.keysOf(domain.toLowerCase())
      if (keys.length === 0) return ''
      const signed = selectFields(splitHeader(header))
      if (!signed) throw new NothingToSignError('a message without From cannot be signed')
      const bodyHash = new RelaxedBodyHash()
      for await (const chunk of body()) bodyHash.update(chunk)
      const content = { signed, bodyHash: bodyHash.digest(), timestamp: Math.floor(clock.now() / 1000) }
      const fields = await Promise.all(keys.map((key) => signatureField(key, content)))
      return fields.join('')
    },
    seal: (message) => sealMessage(message, { keys: directory, clock, log }),
  }
}

import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
// @ts-expect-error mailauth has no types for its verifier
import { DkimVerifier } from 'mailauth/lib/dkim/dkim-verifier.js'
import type { dkimVerify } from 'mailauth/lib/dkim/verify.js'
// @ts-expect-error nor for its tools
import { toALabel } from 'mailauth/lib/tools.js'

/**
 * mailauth's verifier, which says what its signatures need as soon as it has read the header. Whoever read the header in
 * another way could be made to see other signatures than it does.
 *
 * Who calls it: the check worker.
 */
export interface VerificationNeeds {
  /** Names of the records of all keys, to be asked for at once: one after the other is how they are verified. */
  keys: readonly string[]
  /** How many different hashes of the body are wanted. */
  bodies: number
}

interface Signature {
  selector: string
  signingDomain: string
  skip?: string
  invalid?: string
}

export async function verifySignatures(
  message: Readable,
  options: Parameters<typeof dkimVerify>[1],
  onNeeds: (needs: VerificationNeeds) => void,
): Promise<Pick<Awaited<ReturnType<typeof dkimVerify>>, 'results'> & { arc: unknown }> {
  const verifier = new DkimVerifier(options)
  verifier.messageHeaders = async (headers: { parsed: readonly { key?: string }[] }) => {
    // Content-Type it would read once for each signature, for what nobody here asks.
    const parsed = headers.parsed.filter(({ key }) => key !== 'content-type')
    await DkimVerifier.prototype.messageHeaders.call(verifier, { ...headers, parsed })
    verifier.headers = headers
    const signatures = (verifier.signatureHeaders as Signature[]).filter(({ skip, invalid }) => !skip && !invalid)
    onNeeds({
      // RFC 6376 §3.6.2.1.
      keys: signatures.map(({ selector, signingDomain }) => toALabel(`${selector}._domainkey.${signingDomain}`)),
      bodies: verifier.bodyHashes.size,
    })
  }
  verifier.verifySignature = async (signature: Signature, fallback: unknown) => {
    try {
      return await DkimVerifier.prototype.verifySignature.call(verifier, signature, fallback)
    } catch (error) {
      // Such as c=/, whatever else is signed: one that nobody can verify is as good as none.
      return verifier.skippedSignatureResult({ ...signature, skip: (error as Error).message })
    }
  }
  await pipeline(message, verifier)
  return verifier
}

import type { Clock, Log } from '@pennypost/model'
import { arcAuthenticationResults } from '../authentication-results.ts'
import type { ArcFinding } from '../findings/finding.ts'
import { type NextSet, nextSet } from './arc-chain.ts'
import { type HeaderField, type SignedFields, selectFields, splitHeader } from './header-fields.ts'
import type { KeyDirectory } from './key-directory.ts'
import { RelaxedBodyHash } from './relaxed-body.ts'
import { messageSignatureField, type SignedContent, type SigningKey, sealField } from './signature-field.ts'

/**
 * ARC sets (RFC 8617 §5.1) for mail of strangers that goes on from here: what we have found out about it, signed together
 * with the message and with the sets before, for hosts that can find it out no more.
 *
 * What it must never break: a message that cannot be sealed goes on without; nothing here rejects. The body passes through
 * once, however many domains seal, and is not read when none does.
 *
 * Who calls it: reception, for what an acceptance hands on.
 */

export interface MessageToSeal {
  /** In A-labels: each makes a set of its own. */
  domains: readonly string[]
  /** The header section as the next hop gets it, with or without the empty line. CRLF line ends. */
  header: Buffer
  /** What follows the empty line. */
  body(): AsyncIterable<Buffer>
  /** Our Authentication-Results field about it. */
  results: string
  /** What was found of the sets that it has. */
  arc: ArcFinding
}

/** What one domain makes of it: the set, whose fields are ended by CRLF each, or why there is none. */
export type Sealing = { domain: string } & (
  | ({ fields: string; selector: string } & Pick<NextSet, 'instance' | 'validation'>)
  | { reason: string }
)

interface SealerOptions {
  keys: Pick<KeyDirectory, 'keysOf'>
  clock: Clock
  log: Log
}

export async function sealMessage(message: MessageToSeal, { keys, clock, log }: SealerOptions): Promise<Sealing[]> {
  const { domains, results, arc } = message
  const header = splitHeader(message.header)
  const next = nextSet(header, arc)
  const signed = fieldsToSign(header)
  const unsealed = (reason: string) => domains.map((domain) => ({ domain, reason }))
  if (typeof next === 'string') return unsealed(next)
  if (typeof signed === 'string') return unsealed(signed)
  let bodyHash: Promise<string> | undefined
  return Promise.all(
    domains.map(async (domain): Promise<Sealing> => {
      try {
        // RFC 8617 §4.2.1: a set has one signature. Of several keys the record of the oldest is known the longest.
        const key = (await keys.keysOf(domain.toLowerCase())).find(({ algorithm }) => algorithm === 'rsa')
        if (!key) return { domain, reason: `${domain} has no RSA key` }
        bodyHash ??= hashOf(message.body())
        const content = { signed, bodyHash: await bodyHash, timestamp: Math.floor(clock.now() / 1000) }
        const { selector } = key
        const { instance, validation } = next
        return { domain, selector, instance, validation, fields: await setOf(key, content, next, results) }
      } catch (error) {
        log.error({ err: error, domain }, 'mail that goes on could not be sealed')
        return { domain, reason: (error as Error).message }
      }
    }),
  )
}

/** As many as no letter has: the set, which names them all, is kept with each next hop. */
const maxNames = 200

function fieldsToSign(header: readonly HeaderField[]): SignedFields | string {
  const signed = selectFields(header, ['dkim-signature'])
  if (!signed) return 'a message without From cannot be signed'
  return signed.names.length > maxNames ? 'the message has too many fields that would be signed' : signed
}

async function hashOf(body: AsyncIterable<Buffer>): Promise<string> {
  const hash = new RelaxedBodyHash()
  for await (const chunk of body) hash.update(chunk)
  return hash.digest()
}

/** The newest field is on top, as each hop puts its own above what is there. */
async function setOf(key: SigningKey, content: SignedContent, next: NextSet, results: string): Promise<string> {
  const found = arcAuthenticationResults(results, next.instance)
  const signature = await messageSignatureField(key, content, next.instance)
  const own = splitHeader(Buffer.from(found + signature, 'latin1'))
  const seal = await sealField(key, next, content.timestamp, [...next.before, ...own])
  return seal + signature + found
}

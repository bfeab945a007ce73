import { createHash, type KeyObject, sign as signOctets } from 'node:crypto'
import { promisify } from 'node:util'
import { relaxField, type SignedFields } from './header-fields.ts'

/**
 * One DKIM-Signature field: its tags, the hash input made of the signed fields and of itself without its signature
 * (RFC 6376 §3.7), the signature by RSA (§3.3.2) or Ed25519 (RFC 8463 §3), and its folding.
 *
 * Who calls it: the signer, once per key. The signature itself is made in libuv's thread pool.
 */

export interface SigningKey {
  /** A-label, lower case. */
  domain: string
  selector: string
  algorithm: 'rsa' | 'ed25519'
  key: KeyObject
}

export interface SignedContent {
  /** What `selectFields` chose. */
  signed: SignedFields
  /** Of the relaxed body, in base64. */
  bodyHash: string
  /** Seconds since 1970. */
  timestamp: number
}

const makeSignature = promisify(
  (algorithm: string | null, octets: Buffer, key: KeyObject, done: (error: Error | null, made: Buffer) => void) =>
    signOctets(algorithm, octets, key, done),
)

/** The folded field, ended by CRLF. */
export async function signatureField(key: SigningKey, content: SignedContent): Promise<string> {
  const unsigned = foldTags([
    'v=1',
    `a=${key.algorithm}-sha256`,
    'c=relaxed/relaxed',
    `d=${key.domain}`,
    `s=${key.selector}`,
    `t=${content.timestamp}`,
    `h=${content.signed.names.join(':')}`,
    `bh=${content.bodyHash}`,
    'b=',
  ])
  const canonical = [...content.signed.fields, { name: 'dkim-signature', text: unsigned }].map(relaxField).join('\r\n')
  const signature = await signCanonical(key, Buffer.from(canonical, 'latin1'))
  return `${unsigned}${foldSignature(unsigned, signature.toString('base64'))}\r\n`
}

function signCanonical({ algorithm, key }: SigningKey, octets: Buffer): Promise<Buffer> {
  if (algorithm === 'rsa') return makeSignature('sha256', octets, key)
  // RFC 8463 §3: what Ed25519 signs is the SHA-256 hash.
  return makeSignature(null, createHash('sha256').update(octets).digest(), key)
}

const lineLength = 76

/** Tags on as few lines as fit; a list of names that is too long for one is folded at its colons. */
function foldTags(tags: readonly string[]): string {
  let field = 'DKIM-Signature:'
  let column = field.length
  const append = (text: string, separator: string): void => {
    const breaks = column + separator.length + text.length > lineLength
    field += `${breaks ? '\r\n\t' : separator}${text}`
    column = breaks ? 1 + text.length : column + separator.length + text.length
  }
  for (const [index, tag] of tags.entries()) {
    const pieces = `${tag}${index === tags.length - 1 ? '' : ';'}`.split(/(?<=:)/)
    for (const [place, piece] of pieces.entries()) append(piece, place === 0 ? ' ' : '')
  }
  return field
}

function foldSignature(before: string, signature: string): string {
  const used = before.length - before.lastIndexOf('\r\n') - 2
  const first = signature.slice(0, Math.max(0, lineLength - used))
  const rest = signature.slice(first.length).match(new RegExp(`.{1,${lineLength - 1}}`, 'g')) ?? []
  return [first, ...rest].join('\r\n\t')
}

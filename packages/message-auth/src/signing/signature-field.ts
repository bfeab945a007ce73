import { createHash, type KeyObject, sign as signOctets } from 'node:crypto'
import { promisify } from 'node:util'
import type { NextSet } from './arc-chain.ts'
import { type HeaderField, relaxField, type SignedFields } from './header-fields.ts'

/**
 * One field that signs: DKIM-Signature, and the two of an ARC set that are made like it. Its tags, the hash input made of
 * the signed fields and of itself without its signature (RFC 6376 §3.7), the signature by RSA (§3.3.2) or Ed25519
 * (RFC 8463 §3), and its folding.
 *
 * Who calls it: the signer, once per key, and the sealer. The signature itself is made in libuv's thread pool.
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

/** DKIM-Signature. As all fields here it is folded, and ended by CRLF. */
export function signatureField(key: SigningKey, content: SignedContent): Promise<string> {
  return signedField('DKIM-Signature', key, ['v=1', ...contentTags(key, content)], content.signed.fields)
}

/** ARC-Message-Signature (RFC 8617 §4.1.2): some verifiers find it by an instance that stands first. */
export function messageSignatureField(key: SigningKey, content: SignedContent, instance: number): Promise<string> {
  const tags = [`i=${instance}`, ...contentTags(key, content)]
  return signedField('ARC-Message-Signature', key, tags, content.signed.fields)
}

/** ARC-Seal (RFC 8617 §4.1.3) over `covered`, the last two of which are of its own set. */
export function sealField(
  key: SigningKey,
  { instance, validation }: NextSet,
  timestamp: number,
  covered: readonly HeaderField[],
): Promise<string> {
  const tags = [`i=${instance}`, algorithmTag(key), `t=${timestamp}`, `cv=${validation}`, ...keyTags(key)]
  return signedField('ARC-Seal', key, tags, covered)
}

function contentTags(key: SigningKey, { signed, bodyHash, timestamp }: SignedContent): string[] {
  return [
    algorithmTag(key),
    'c=relaxed/relaxed',
    ...keyTags(key),
    `t=${timestamp}`,
    `h=${signed.names.join(':')}`,
    `bh=${bodyHash}`,
  ]
}

const algorithmTag = ({ algorithm }: SigningKey): string => `a=${algorithm}-sha256`
const keyTags = ({ domain, selector }: SigningKey): string[] => [`d=${domain}`, `s=${selector}`]

async function signedField(
  name: string,
  key: SigningKey,
  tags: readonly string[],
  covered: readonly HeaderField[],
): Promise<string> {
  const unsigned = foldTags(name, [...tags, 'b='])
  const canonical = [...covered, { name: name.toLowerCase(), text: unsigned }].map(relaxField).join('\r\n')
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
function foldTags(name: string, tags: readonly string[]): string {
  let field = `${name}:`
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

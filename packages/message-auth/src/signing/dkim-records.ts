import { createPublicKey } from 'node:crypto'
import { listKeyFiles, readSigningKey } from './key-directory.ts'
import type { SigningKey } from './signature-field.ts'

/** What a domain must publish so that others can verify its signatures. Who calls it: `pennypost dns records`, `init`. */

export interface DkimRecord {
  selector: string
  algorithm: 'rsa' | 'ed25519'
  /** Owner name of the TXT record, without the final dot. */
  name: string
  /** Its text. Longer than 255 octets for RSA: whoever prints a zone splits it into character-strings. */
  value: string
}

/** One record for each key file of `domain` (RFC 6376 §3.6.1, RFC 8463 §4). Rejects with `SigningKeyError`. */
export async function dkimRecords(directory: string, domain: string): Promise<DkimRecord[]> {
  const files = (await listKeyFiles(directory)).filter((file) => file.domain === domain.toLowerCase())
  const keys = await Promise.all(files.map(readSigningKey))
  return keys.map((key) => ({
    selector: key.selector,
    algorithm: key.algorithm,
    name: `${key.selector}._domainkey.${key.domain}`,
    value: `v=DKIM1; k=${key.algorithm}; p=${publicKey(key)}`,
  }))
}

function publicKey({ algorithm, key }: SigningKey): string {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  // RFC 8463 §4: the bare 32 octets, which end the structure.
  return (algorithm === 'rsa' ? der : der.subarray(-32)).toString('base64')
}

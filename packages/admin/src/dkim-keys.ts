import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * DKIM keys as files: `DIRECTORY/DOMAIN.SELECTOR.pem`, PKCS #8, mode 0600. The signer reads the same layout. A domain
 * gets an RSA key, which everybody verifies, and an Ed25519 key (RFC 8463) beside it. Existing files are never replaced:
 * their public halves are in the DNS.
 */
export interface DkimKey {
  domain: string
  selector: string
  algorithm: 'rsa' | 'ed25519'
  /** `p=` of the DNS record (RFC 6376 §3.6.1, RFC 8463 §4): base64. */
  publicKey: string
}

const generate = promisify(generateKeyPair)
// RFC 8301 §3.2: at least 1024, should be 2048; larger ones do not fit everybody's DNS.
const rsaBits = 2048

/** Makes the keys of a domain unless it has some. `year` names the selectors: `p2026a` (RSA) and `p2026b` (Ed25519). */
export async function ensureDkimKeys(directory: string, domain: string, year: number): Promise<DkimKey[]> {
  const present = await readDkimKeys(directory, domain)
  if (present.length > 0) return present
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const rsa = await generate('rsa', { modulusLength: rsaBits })
  const ed25519 = await generate('ed25519')
  await keep(join(directory, `${domain}.p${year}a.pem`), rsa.privateKey)
  await keep(join(directory, `${domain}.p${year}b.pem`), ed25519.privateKey)
  return readDkimKeys(directory, domain)
}

async function keep(path: string, key: KeyObject): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(key.export({ type: 'pkcs8', format: 'pem' }))
    await file.sync()
  } finally {
    await file.close()
  }
}

/** The keys in the directory, of all domains or of one, in order of name. None where there is no directory. */
export async function readDkimKeys(directory: string, domain?: string): Promise<DkimKey[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const keys: DkimKey[] = []
  for (const name of names.sort()) {
    const match = /^(.+)\.([a-z0-9-]+)\.pem$/i.exec(name)
    if (!match || (domain !== undefined && match[1] !== domain)) continue
    const pem = await readFile(join(directory, name))
    keys.push({ domain: match[1]!, selector: match[2]!, ...publicHalf(pem, name) })
  }
  return keys
}

function publicHalf(pem: Buffer, name: string): Pick<DkimKey, 'algorithm' | 'publicKey'> {
  const key = createPublicKey(createPrivateKey(pem))
  if (key.asymmetricKeyType === 'rsa') {
    return { algorithm: 'rsa', publicKey: key.export({ type: 'spki', format: 'der' }).toString('base64') }
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${name} holds neither an RSA nor an Ed25519 key`)
  // RFC 8463 §4.2: the bare 32 octets of the key, which a JWK has in base64url.
  const { x = '' } = key.export({ format: 'jwk' })
  return { algorithm: 'ed25519', publicKey: Buffer.from(x, 'base64url').toString('base64') }
}

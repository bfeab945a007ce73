import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock, Log } from '@pennypost/model'
import type { SigningKey } from './signature-field.ts'

/**
 * The private keys of a directory, `<domain>.<selector>.pem`, read again when a file appears, changes or goes.
 *
 * What it must never break: a domain that has key files never looks like one without. A file that cannot be used is an
 * error for its domain, unless another key of the domain can sign.
 *
 * Who calls it: the signer and the sealer for every message, `dkimRecords` for what to publish.
 */

export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError'
}

export interface KeyFile {
  domain: string
  selector: string
  path: string
}

/** What the file of a key that is out of use ends with, behind its name in use. */
export const retiredEnding = '.retired'

/**
 * Key files by domain and selector: those in use, or those that were taken out of use. A directory that does not exist has
 * none.
 */
export async function listKeyFiles(directory: string, which: 'in-use' | 'retired' = 'in-use'): Promise<KeyFile[]> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const ending = which === 'retired' ? `.pem${retiredEnding}` : '.pem'
  return names.sort().flatMap((name) => {
    if (!name.endsWith(ending)) return []
    // The domain has dots of its own, the selector has none.
    const stem = name.slice(0, -ending.length)
    const [, domain, selector] = /^((?:[a-z0-9_-]+\.)*[a-z0-9-]+)\.([a-z0-9-]+)$/.exec(stem) ?? []
    return domain && selector ? [{ domain, selector, path: join(directory, name) }] : []
  })
}

/** Rejects with `SigningKeyError`, whose text names the file and never its content. */
export async function readSigningKey({ domain, selector, path }: KeyFile): Promise<SigningKey> {
  let key: KeyObject
  try {
    key = createPrivateKey(await readFile(path))
  } catch (error) {
    const { code = 'unknown format' } = error as NodeJS.ErrnoException
    throw new SigningKeyError(`${path} cannot be read as a private key in PEM: ${code}`)
  }
  const algorithm = key.asymmetricKeyType
  if (algorithm !== 'rsa' && algorithm !== 'ed25519') {
    throw new SigningKeyError(`${path} is a key of type ${algorithm}; DKIM knows rsa and ed25519`)
  }
  // RFC 8301 §3.2: verifiers must not accept less.
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0
  if (algorithm === 'rsa' && bits < 1024) throw new SigningKeyError(`${path} has ${bits} bits; 1024 is the least`)
  return { domain, selector, algorithm, key }
}

export interface KeyDirectoryOptions {
  directory: string
  clock: Clock
  log: Log
  /** How long what was seen is believed without looking again. */
  recheckMs: number
}

interface Known {
  file: KeyFile
  /** Changes with the file; '' for one that cannot be looked at. */
  stamp: string
  key: SigningKey | SigningKeyError
}

export class KeyDirectory {
  readonly #options: KeyDirectoryOptions
  /** By domain. */
  #known = new Map<string, Known[]>()
  #seenAt = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  constructor(options: KeyDirectoryOptions) {
    this.#options = options
  }

  /** All keys of `domain` (lower case) by selector; empty if it has no files. Rejects if it has some and none is usable. */
  async keysOf(domain: string): Promise<SigningKey[]> {
    const { clock, recheckMs } = this.#options
    if (clock.elapsed() - this.#seenAt >= recheckMs) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
      })
      await this.#looking
    }
    const known = (this.#known.get(domain) ?? []).map(({ key }) => key)
    const usable = known.filter((key): key is SigningKey => !(key instanceof SigningKeyError))
    if (usable.length === 0 && known[0] instanceof SigningKeyError) throw known[0]
    return usable
  }

  async #look(): Promise<void> {
    const files = await listKeyFiles(this.#options.directory)
    const found = await Promise.all(files.map((file) => this.#lookAt(file)))
    this.#known = Map.groupBy(found, ({ file }) => file.domain)
    this.#seenAt = this.#options.clock.elapsed()
  }

  async #lookAt(file: KeyFile): Promise<Known> {
    // What cannot be looked at (a link that leads nowhere, a directory without permission) is read all the same: that says why.
    const stats = await stat(file.path, { bigint: true }).catch(() => undefined)
    const stamp = stats ? `${stats.ino} ${stats.size} ${stats.mtimeNs}` : ''
    const before = this.#known.get(file.domain)?.find((known) => known.file.path === file.path)
    const fault = before?.key instanceof SigningKeyError ? before.key.message : undefined
    // What failed is tried again: the disk may be well, or the process have descriptors, with the file as it was.
    if (before?.stamp === stamp && fault === undefined) return before
    const key = await readSigningKey(file).catch((error: SigningKeyError) => error)
    if (key instanceof SigningKeyError && key.message !== fault) {
      this.#options.log.error({ domain: file.domain, selector: file.selector }, key.message)
    }
    return { file, stamp, key }
  }
}

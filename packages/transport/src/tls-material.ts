import type { SecureContext } from 'node:tls'
import type { Clock, Log, Timer } from '@pennypost/model'
import { type CertificateFiles, type LoadedCertificate, loadCertificate, signatureOf } from './certificate-file.ts'
import type { ServerContexts } from './server-handshake.ts'

/**
 * The certificates that the server shows, chosen by SNI, replaced while it runs.
 *
 * Never broken: a set that cannot be loaded as a whole leaves the one in use as it is; running sessions keep the
 * context that they began with. Files are looked at on a schedule rather than through notifications, which miss
 * replaced symbolic links (certbot), bind mounts and network file systems.
 */

export interface TlsMaterialOptions {
  /** The first is shown to clients that name no host, or one that no certificate bears. */
  certificates: readonly CertificateFiles[]
  /** PEM: who issues the certificates with which clients may log in (SASL EXTERNAL). Absent: they are not asked for. */
  clientCa?: string
  clock: Clock
  log: Log
  /** How often the files are looked at; 0 = only `reload` reads them. Default 30 s. */
  watchMs?: number
}

/** What `status` says of one certificate. */
export type CertificateFacts = Omit<LoadedCertificate, 'context'>

export interface TlsMaterial extends ServerContexts, Disposable {
  readonly certificates: readonly CertificateFacts[]
  /** Reads all files again. Rejects with `TlsMaterialError`, and then nothing has changed. */
  reload(): Promise<void>
}

/** Loads everything; rejects with `TlsMaterialError`. Disposing ends the watch. */
export async function createTlsMaterial(options: TlsMaterialOptions): Promise<TlsMaterial> {
  const { certificates: files, clientCa, clock, log, watchMs = 30_000 } = options
  if (files.length === 0) throw new Error('TLS material without a certificate')
  const watched = [...files.flatMap(({ cert, key }) => [cert, key]), ...(clientCa === undefined ? [] : [clientCa])]
  let signature = ''
  let lastFault = ''
  let loaded: readonly LoadedCertificate[] = []
  let byName = new Map<string, SecureContext>()

  async function reload(): Promise<void> {
    // Taken before reading: a file that changes meanwhile is then read once more, never overlooked.
    const seen = await signatureOf(watched)
    const fresh = await Promise.all(files.map((pair) => loadCertificate(pair, clientCa)))
    loaded = fresh
    byName = contextsByName(fresh)
    signature = seen
    lastFault = ''
    warnOfDates(fresh, clock.now(), log)
  }

  async function look(): Promise<void> {
    if ((await signatureOf(watched)) === signature) return
    try {
      await reload()
      log.info({ certificates: loaded.map(({ files }) => files.cert) }, 'TLS certificates reloaded')
    } catch (error) {
      // Certificate and key are seldom replaced in one step: try again at every look, complain once.
      const { message } = error as Error
      if (message !== lastFault) log.error({ error: message }, 'TLS certificates could not be reloaded; the old stay')
      lastFault = message
    }
  }

  await reload()
  const watch = watchMs > 0 ? repeat(clock, watchMs, look) : undefined
  return {
    asksForCertificate: clientCa !== undefined,
    get defaultContext() {
      return loaded[0]!.context
    },
    chooseContext(servername, answer) {
      answer(null, findContext(byName, servername) ?? loaded[0]!.context)
    },
    get certificates() {
      return loaded
    },
    reload,
    [Symbol.dispose]() {
      watch?.[Symbol.dispose]()
    },
  }
}

function contextsByName(certificates: readonly LoadedCertificate[]): Map<string, SecureContext> {
  const byName = new Map<string, SecureContext>()
  for (const { names, context } of certificates) {
    for (const name of names) if (!byName.has(name)) byName.set(name, context)
  }
  return byName
}

/** RFC 6125 §6.4.3: a wildcard stands for exactly one whole label, the leftmost. */
function findContext(byName: Map<string, SecureContext>, servername: string): SecureContext | undefined {
  const name = servername.toLowerCase()
  return byName.get(name) ?? byName.get(`*${name.slice(Math.max(0, name.indexOf('.')))}`)
}

function warnOfDates(certificates: readonly LoadedCertificate[], now: number, log: Log): void {
  for (const { files, notBefore, notAfter } of certificates) {
    if (notAfter <= now) log.warn({ file: files.cert, notAfter: new Date(notAfter) }, 'TLS certificate has expired')
    else if (notBefore > now)
      log.warn({ file: files.cert, notBefore: new Date(notBefore) }, 'TLS certificate is not valid yet')
  }
}

/** Runs `task` again and again, `everyMs` after it has ended, until disposed. */
function repeat(clock: Clock, everyMs: number, task: () => Promise<void>): Disposable {
  let over = false
  let timer: Timer
  const arm = (): void => {
    timer = clock.after(everyMs, async () => {
      using _busy = clock.busy('certificate watch')
      await task()
      if (!over) arm()
    })
  }
  arm()
  return {
    [Symbol.dispose]() {
      over = true
      timer[Symbol.dispose]()
    },
  }
}

import type { Clock, Log, Random, Timer } from '@pennypost/model'
import { type CertificatePaths, isDue, readOptional, replaceFile } from './files.ts'
import type { OrderCertificate } from './order.ts'

/**
 * Keeps one certificate fresh: looks at it now and then, orders a new one in time, and tries again when that fails.
 *
 * Never broken: the certificate in use stays until its successor is there, whole; a failing order is tried less and less
 * often (authorities block who insists), and each failure is an error in the log, long before anything expires.
 */

export interface CertificateKeeperOptions {
  /** A-labels that have to be in the certificate; asked for at each look. */
  names(): Promise<readonly string[]>
  files: CertificatePaths
  order: OrderCertificate
  /** New files are there. */
  onRenewed(): Promise<void>
  clock: Clock
  random: Random
  log: Log
}

/** Disposed, it is no more than the files: an order under way is left to itself, since an authority may take its time. */
export interface CertificateKeeper extends AsyncDisposable {
  /** Looks for the first time, at once. */
  start(): void
}

const hourMs = 3_600_000
const lookEveryMs = 6 * hourMs
const retryFirstMs = hourMs
const retryAtMostMs = 24 * hourMs

export function createCertificateKeeper(options: CertificateKeeperOptions): CertificateKeeper {
  const { files, order, onRenewed, clock, random, log } = options
  let failures = 0
  let timer: Timer | undefined
  let putting = Promise.resolve()
  let over = false

  async function renewIfDue(): Promise<void> {
    const names = await options.names()
    if (!(await isDue(files.cert, names, clock.now()))) return
    log.info({ names }, 'ordering a certificate')
    const made = await order(names, await readOptional(files.accountKey))
    if (over) return
    await (putting = put(made))
    await onRenewed()
    log.info({ names, certificate: files.cert }, 'a new certificate is in use')
  }

  async function put({ accountKey, key, cert }: Awaited<ReturnType<OrderCertificate>>): Promise<void> {
    await replaceFile(files.accountKey, accountKey)
    // Whoever reads in between sees a key that does not fit, keeps what he has, and looks again.
    await replaceFile(files.key, key)
    await replaceFile(files.cert, cert)
  }

  async function look(): Promise<void> {
    using _busy = clock.busy('certificate')
    let nextMs = lookEveryMs
    try {
      await renewIfDue()
      failures = 0
    } catch (error) {
      nextMs = Math.min(retryFirstMs * 2 ** failures, retryAtMostMs)
      failures++
      log.error({ error: (error as Error).message, retryMs: nextMs }, 'no new certificate; the old one stays')
    }
    // A tenth of jitter: whole networks start at the same hour.
    if (!over) timer = clock.after(nextMs * (0.95 + random.fraction() / 10), start)
  }

  const start = (): void => void look()
  return {
    start,
    async [Symbol.asyncDispose]() {
      over = true
      timer?.[Symbol.dispose]()
      await putting.catch(() => {})
    },
  }
}

import type { Clock, Log, Random, Timer } from '@pennypost/model'
import { accountKey, type CertificatePaths, type Present, present, replaceCertificate } from './files.ts'
import type { OrderCertificate, Unproved } from './order.ts'

/**
 * Keeps one certificate fresh: looks at it now and then, orders a new one in time, and tries again when that fails. Names
 * that cannot be proved are left out, and tried again like an order that failed.
 *
 * Never broken: the certificate in use stays until its successor is there, whole, and no worse; a failing order is tried
 * less and less often (authorities block who insists), and each failure is an error in the log, long before anything expires.
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
  /** What the authority was not convinced of at the last order. */
  readonly unproved: readonly Unproved[]
}

const hourMs = 3_600_000
const lookEveryMs = 6 * hourMs
const retryFirstMs = hourMs
const retryAtMostMs = 24 * hourMs

export function createCertificateKeeper(options: CertificateKeeperOptions): CertificateKeeper {
  const { files, order, onRenewed, clock, random, log } = options
  let failures = 0
  let unproved: readonly Unproved[] = []
  let timer: Timer | undefined
  let writes: Promise<unknown> = Promise.resolve()
  let over = false

  async function renewIfDue(): Promise<void> {
    const names = await options.names()
    const old = await present(files.cert, names, clock.now())
    if (!old.isDue && old.covered.length === names.length) {
      unproved = []
      return
    }
    if (over) return
    log.info({ names }, 'ordering a certificate')
    const made = await order(names, await writing(accountKey(files.accountKey)), (proved) => isBetter(proved, old))
    if (over) return
    unproved = made.unproved
    if (!made.issued) return
    await writing(replaceCertificate(files, made.issued))
    await onRenewed()
    const proved = names.filter((name) => !unproved.some((each) => each.name === name))
    log.info({ names: proved, certificate: files.cert }, 'a new certificate is in use')
  }

  /** What is disposed waits for. */
  function writing<Written>(written: Promise<Written>): Promise<Written> {
    writes = written
    return written
  }

  const retryMs = (): number => Math.min(retryFirstMs * 2 ** failures++, retryAtMostMs)

  async function look(): Promise<void> {
    using _busy = clock.busy('certificate')
    let nextMs = lookEveryMs
    try {
      await renewIfDue()
      if (unproved.length === 0) failures = 0
      else nextMs = retryMs()
      for (const { name, why } of unproved) {
        log.error({ name, error: why, retryMs: nextMs }, 'the certificate authority was not convinced of a name')
      }
    } catch (error) {
      nextMs = retryMs()
      log.error({ error: (error as Error).message, retryMs: nextMs }, 'no new certificate; the old one stays')
    }
    // A tenth of jitter: whole networks start at the same hour.
    if (!over) timer = clock.after(nextMs * (0.95 + random.fraction() / 10), start)
  }

  const start = (): void => void look()
  return {
    start,
    get unproved() {
      return unproved
    },
    async [Symbol.asyncDispose]() {
      over = true
      timer?.[Symbol.dispose]()
      await writes.catch(() => {})
    },
  }
}

/** Whether a certificate for these names alone is worth an order: it must gain something, and lose no name too early. */
function isBetter(proved: readonly string[], { covered, isDue, isEnding }: Present): boolean {
  const gains = isDue || proved.some((name) => !covered.includes(name))
  const loses = covered.some((name) => !proved.includes(name))
  return proved.length > 0 && gains && (isEnding || !loses)
}

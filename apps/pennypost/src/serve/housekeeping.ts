import { undoRemovalMs } from '@pennypost/admin'
import type { Account, AccountId, Clock, Log, Store, Timer } from '@pennypost/model'
import type { Config } from '../config/schema.ts'
import { believedDate } from './believed-date.ts'

/**
 * What a server does beside the mail: old journeys and memories go, removed accounts are purged when their removal can
 * no longer be undone, configured devices follow their account.
 */
export interface HousekeepingOptions {
  store: Store
  config: Config
  clock: Clock
  log: Log
  /** Kept up to date: address of a device → account it sends as. */
  trusted: Map<string, Account>
  /** Ends the sessions of an account; a device may have begun one before its account was found to be closed. */
  endSessions(account: AccountId): void
}

const pruneEveryMs = 3_600_000
const lookEveryMs = 5_000

export async function startHousekeeping(options: HousekeepingOptions): Promise<AsyncDisposable> {
  const { store, config, clock, log, trusted, endSessions } = options
  const date = believedDate(clock)
  let seen = -1
  let over = false
  let running = Promise.resolve()
  /** One for each task. */
  const timers = new Map<() => Promise<void>, Timer>()

  async function followDevices(): Promise<void> {
    const { version } = store.directory
    if (version === seen) return
    for (const { address, account } of config.submission.trusted) {
      const found = await store.directory.accountByLogin(account)
      if (found && !found.suspended && found.removedAt === null) trusted.set(address, found)
      else {
        const before = trusted.get(address)
        trusted.delete(address)
        if (before) endSessions(before.id)
        log.warn({ address, account }, 'a trusted device has no account')
      }
    }
    seen = version
  }

  async function prune(): Promise<void> {
    const now = date()
    const journeys = await store.flow.prune(now - config.journeys.keep, now - config.journeys.transcripts)
    const memories = await store.memory.prune(now)
    const accounts = await store.directory.purgeAccounts(now - undoRemovalMs)
    if (journeys + memories + accounts > 0) log.info({ journeys, memories, accounts }, 'pruned')
  }

  function every(periodMs: number, task: () => Promise<void>): void {
    if (over) return
    const timer = clock.after(periodMs, async () => {
      using _busy = clock.busy('housekeeping')
      running = running
        .then(task)
        .catch((error: unknown) => log.error({ err: error }, 'housekeeping failed'))
        .then(() => every(periodMs, task))
      await running
    })
    timers.set(task, timer)
  }

  await followDevices()
  if (config.submission.trusted.length > 0) every(lookEveryMs, followDevices)
  every(pruneEveryMs, prune)
  return {
    async [Symbol.asyncDispose]() {
      over = true
      for (const timer of timers.values()) timer[Symbol.dispose]()
      await running
    },
  }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemDeadline } from '@pennypost/model'
import type { OpenEngine } from '@pennypost/model/contract'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import { bundledWorkers } from './bundled-workers.ts'

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'pennypost-'))
}

export type TestOptions = Partial<SqliteStoreOptions>

/** A store in the directory, which stays when it is closed. */
export async function openStore(directory: string, options: TestOptions = {}): Promise<SqliteStore> {
  const { search: searchThread, ...workers } = await bundledWorkers()
  const given = {
    ...{ clock: virtualClock(), deadline: systemDeadline, random: seededRandom(1), log: silentLog },
    ...{ workers, searchThread },
  }
  return openSqliteStore({ directory, ...given, ...options })
}

/** A store in a directory of its own, which goes when it is closed. */
export async function openTemporaryStore(
  options: TestOptions = {},
): Promise<{ store: SqliteStore; directory: string }> {
  const directory = temporaryDirectory()
  const store = await openStore(directory, options)
  const close = async (): Promise<void> => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { store: { ...store, close, [Symbol.asyncDispose]: close }, directory }
}

/** For the contract suites. */
export const openEngine: OpenEngine = async (options) => (await openTemporaryStore(options)).store

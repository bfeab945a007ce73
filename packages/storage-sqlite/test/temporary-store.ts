import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AccountId, type MailboxId, silentLog, systemDeadline } from '@pennypost/model'
import type { OpenEngine } from '@pennypost/model/contract'
import { sampleMessage, seededRandom, virtualClock } from '@pennypost/model/testing'
import { onTestFinished } from 'vitest'
import { openSqliteStore, type SqliteStore, type SqliteStoreOptions } from '../src/index.ts'
import { bundledWorkers } from './bundled-workers.ts'

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'pennypost-'))
}

export type TestOptions = Partial<SqliteStoreOptions>

/** A store in the directory, which stays when it is closed. */
export async function openStore(directory: string, options: TestOptions = {}): Promise<SqliteStore> {
  const { search: searchThread, ...workers } = await bundledWorkers()
  return openSqliteStore({
    directory,
    clock: virtualClock(),
    deadline: systemDeadline,
    random: seededRandom(1),
    log: silentLog,
    workers,
    searchThread,
    ...options,
  })
}

/** A store in a directory of its own, which goes when it is closed. */
async function openTemporaryStore(options: TestOptions = {}): Promise<{ store: SqliteStore; directory: string }> {
  const directory = temporaryDirectory()
  const store = await openStore(directory, options)
  const close = async (): Promise<void> => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  }
  return { store: { ...store, close, [Symbol.asyncDispose]: close }, directory }
}

/** alice@one.test in a store that has no domain yet. */
export async function addAlice({ directory, mail }: SqliteStore): Promise<{ alice: AccountId; inbox: MailboxId }> {
  await directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const account = { login: 'alice@one.test', name: '', quota: 0, admin: false }
  const { id: alice } = await directory.addAccount(account, 0)
  return { alice, inbox: (await mail.mailboxes(alice))[0]?.id as MailboxId }
}

/** A store without a search index, in whose INBOX of alice@one.test these are; all goes when the test is over. */
export async function openInbox(
  contents: readonly string[],
): Promise<{ store: SqliteStore; directory: string; inbox: MailboxId }> {
  const { store, directory } = await openTemporaryStore({ limits: { searchIndexOctets: 0 } })
  onTestFinished(() => store.close())
  const { inbox } = await addAlice(store)
  for (const content of contents) {
    const message = await sampleMessage(store.mail, content)
    await store.mail.append(inbox, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
  }
  return { store, directory, inbox }
}

/** For the contract suites. */
export const openEngine: OpenEngine = async (options) => (await openTemporaryStore(options)).store

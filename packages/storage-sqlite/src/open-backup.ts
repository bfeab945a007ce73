import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Clock, Directory, Log, MailStore } from '@pennypost/model'
import { ContentFiles } from './content/content-files.ts'
import type { Engine } from './engine.ts'
import { requireOurs } from './migrations/list.ts'
import { sqliteLimits } from './options.ts'
import { Pins } from './pins.ts'
import { SqliteDirectory } from './ports/directory.ts'
import { createMailboxes } from './ports/mailboxes.ts'
import { createMessages } from './ports/messages.ts'
import { Reader } from './reader/reader.ts'
import { Room } from './room.ts'
import { Watchers } from './watchers.ts'
import { unavailable } from './writer-client.ts'

/** The mail of a backup, to be read: whatever would change it rejects with `unavailable`. */
export interface OpenBackup extends Disposable {
  mail: Pick<MailStore, 'mailboxes' | 'mailbox' | 'snapshot' | 'fetch' | 'readBody' | 'pin'>
  directory: Directory
}

/** Opens a directory that `backup` wrote, without writing to it. Called by verbs that take something out of it. */
export function openBackup(options: { directory: string; clock: Clock; log: Log }): OpenBackup {
  const { clock, log } = options
  const directory = resolve(options.directory)
  const database = join(directory, 'mail.db')
  if (!existsSync(database)) throw new Error(`${directory} is no whole backup: there is no mail.db in it`)
  const reader = new Reader(database, clock, sqliteLimits.cacheOctets)
  try {
    requireOurs(reader.db)
  } catch (error) {
    reader.close()
    throw error
  }
  const files = { database, ballast: join(directory, 'ballast') }
  const engine: Engine = {
    reader,
    clock,
    log,
    limits: sqliteLimits,
    search: { opened() {}, search: () => Promise.reject(unavailable()) },
    writer: { run: () => Promise.reject(unavailable()), hasFailed: false },
    files: new ContentFiles(join(directory, 'content')),
    room: new Room(() => ({ free: 0, total: 0 }), files, clock, sqliteLimits),
    staged: { octets: 0 },
    pins: new Pins(async () => {}),
    watchers: new Watchers(),
  }
  return {
    mail: { ...createMailboxes(engine), ...createMessages(engine) },
    directory: new SqliteDirectory(engine, () => {}),
    [Symbol.dispose]: () => reader.close(),
  }
}

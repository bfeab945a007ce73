import { join } from 'node:path'
import { createAuditFile } from '@pennypost/admin'
import type { FiledMessage } from '@pennypost/admin/mail-files'
import {
  type FetchedMessage,
  type FetchNeed,
  flagsOf,
  lookupAddress,
  type Mailbox,
  mailboxName,
  silentLog,
  systemClock,
  UidSet,
} from '@pennypost/model'
import {
  type OpenBackup,
  openBackup,
  type Restored,
  type RestoreOptions,
  restoreStore,
} from '@pennypost/storage-sqlite'
import { besideStore } from '../serve/backup-directory.ts'
import { currentUser } from './session.ts'
import { noteAuditLost } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** What goes on where it is there: mail that was handed in meanwhile, and who did what. */
const staying = ['spool', 'audit.log']

/** What `restore` does without a server. Loaded only then: it brings the storage engine with it. */
export async function restoreDirectory(given: {
  backup: string
  dataDirectory: string
  replace: boolean
  onProgress: NonNullable<RestoreOptions['onProgress']>
}): Promise<Restored> {
  const { backup, dataDirectory, replace, onProgress } = given
  const now = systemClock.now()
  const at = new Date(now).toISOString()
  const done = await restoreStore({
    backup,
    directory: dataDirectory,
    replace,
    onProgress,
    now,
    log: silentLog,
    beside: besideStore,
    staying,
    asideName: `replaced-${at.replace(/[-:]|\.\d+/g, '')}`,
  })
  const { faults: _, ...counts } = done
  const audit = createAuditFile(join(dataDirectory, 'audit.log'), noteAuditLost)
  await audit({
    at,
    actor: currentUser(),
    operation: 'restore',
    input: { backup, replace },
    outcome: 'done',
    detail: JSON.stringify(counts),
  })
  return done
}

/** Messages of an account as a backup has them, for operation `import`. */
export async function* readBackup(
  directory: string,
  login: string,
  only: { mailbox?: string; messageId?: string },
): AsyncGenerator<FiledMessage> {
  using backup = openBackup({ directory, clock: systemClock, log: silentLog })
  const account = await backup.directory.accountByLogin(lookupAddress(login) ?? login)
  if (!account) throw new UsageError(`The backup has no account ${login}.`)
  const all = await backup.mail.mailboxes(account.id)
  const wanted = only.mailbox === undefined ? all : all.filter(({ name }) => name === mailboxName(only.mailbox ?? ''))
  if (wanted.length === 0) throw new UsageError(`In the backup, ${login} has no mailbox ${only.mailbox}.`)
  const messageId = only.messageId?.replace(/^<|>$/g, '')
  for (const mailbox of wanted) yield* readMailbox(backup.mail, mailbox, messageId)
}

async function* readMailbox(
  mail: OpenBackup['mail'],
  { id, name }: Mailbox,
  messageId: string | undefined,
): AsyncGenerator<FiledMessage> {
  const { mailbox, uids, flags } = await mail.snapshot(id)
  const need: FetchNeed = { uidl: true, header: true, body: true, index: ['messageIdHeader'] }
  let position = 0
  for await (const page of mail.fetch(id, UidSet.ofSorted(uids), need)) {
    for (const row of page) {
      while ((uids[position] as number) < row.uid) position++
      if (messageId !== undefined && row.index?.messageIdHeader !== messageId) continue
      yield {
        mailbox: name,
        flags: flagsOf(flags[position] ?? 0, mailbox.keywords),
        internalDate: row.internalDate,
        ...(row.uidl === undefined ? {} : { uidl: row.uidl }),
        content: contentOf(mail, row),
      }
    }
  }
}

async function* contentOf(mail: OpenBackup['mail'], row: FetchedMessage): AsyncGenerator<Buffer> {
  if (row.header) yield row.header
  if (row.body) yield row.body
  else yield* mail.readBody(row.message)
}

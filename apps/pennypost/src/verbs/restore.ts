import { resolve } from 'node:path'
import type { Command } from 'commander'
import { isThere, requireOwner } from '../config/place.ts'
import type { Session } from './session.ts'
import { plural, were } from './table.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/**
 * `restore DIRECTORY`: a whole backup into the data directory of a server that does not run. With `--account`: what the
 * account has lost since, from the backup into the store that is in use.
 */
interface RestoreOptions {
  replace?: boolean
  account?: string
  mailbox?: string
  messageId?: string
}

export function register(program: Command): void {
  addVerb(program, 'restore <directory>', 'put a backup into the data directory, while no server runs')
    .option('--replace', 'a store that is there is moved aside')
    .option('--account <address>', 'only mail of this account, into the store that is in use; can be repeated safely')
    .option('--mailbox <name>', 'with --account: only this mailbox')
    .option('--message-id <id>', 'with --account: only messages with this Message-ID')
    .action(inSession(restore))
}

async function restore(session: Session, directory: string, options: RestoreOptions): Promise<void> {
  const backup = resolve(directory)
  if (!isThere(resolve(backup, 'mail.db'))) throw new UsageError(`${directory} is no whole backup: it has no mail.db.`)
  if (options.account !== undefined) return restoreMail(session, backup, options.account, options)
  if (options.mailbox !== undefined || options.messageId !== undefined) {
    throw new UsageError('--mailbox and --message-id go with --account.')
  }
  return restoreAll(session, backup, options.replace === true)
}

async function restoreAll(session: Session, backup: string, replace: boolean): Promise<void> {
  requireOwner(session.place)
  const { restoreDirectory } = await import('./restore-directory.ts')
  const onProgress = session.onProgress
  const done = await restoreDirectory({ backup, dataDirectory: session.place.dataDirectory, replace, onProgress })
  session.endProgress()
  const { faultLines } = await import('./check.ts')
  const lines = [
    faultLines(done.faults),
    `Back in ${session.place.dataDirectory}: ${plural(done.messages, 'message')} in ${plural(done.mailboxes, 'mailbox', 'mailboxes')}.\n`,
    'IMAP clients will fetch their mailboxes anew (UIDVALIDITY has risen); POP3 clients fetch nothing twice.\n',
    done.aside === undefined ? '' : `What was there is in ${done.aside}.\n`,
    done.held > 0 ? `${heldText(done.held)}\n` : '',
  ]
  session.show({ backup, ...done }, lines.join(''))
  if (done.faults.length > 0) process.exitCode = 1
}

function heldText(held: number): string {
  return (
    `${plural(held, 'entry', 'entries')} of the queue ${held === 1 ? 'is' : 'are'} held: what waited may have gone out after the ` +
    'backup was made. `pennypost queue list` shows it, `pennypost queue release --held` sends it, `pennypost queue remove --held` ' +
    'drops it.'
  )
}

async function restoreMail(
  session: Session,
  backup: string,
  login: string,
  only: Pick<RestoreOptions, 'mailbox' | 'messageId'>,
): Promise<void> {
  const [{ readBackup }, { uploadOf }] = await Promise.all([
    import('./restore-directory.ts'),
    import('@pennypost/admin/mail-files'),
  ])
  const result = await session.call('import', { login }, { upload: () => uploadOf(readBackup(backup, login, only)) })
  const skipped = result.skipped > 0 ? `, ${result.skipped} ${were(result.skipped)} there still` : ''
  const where = result.mailboxes.length > 0 ? ` into ${result.mailboxes.join(', ')}` : ''
  session.show(result, `${plural(result.imported, 'message')} restored${where}${skipped}.\n`)
}

import { stat } from 'node:fs/promises'
import type { FiledMessage } from '@pennypost/admin/mail-files'
import type { Command } from 'commander'
import { isThere } from '../config/place.ts'
import type { Session } from './session.ts'
import { clean, plural, were } from './table.ts'
import { note } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `import mbox|maildir ADDRESS PATH`. Files are read here, with the rights of whoever runs the verb. */
export function register(program: Command): void {
  const group = program.command('import').description('mail from files into an account; can be repeated safely')
  addVerb(group, 'mbox <address> <path>', 'a file, or a directory of them')
    .option('--mailbox <name>', 'into this mailbox; of a directory: below it')
    .action(
      inSession((session, address: string, path: string, options) =>
        bringIn(session, address, path, findMbox, options),
      ),
    )
  addVerb(group, 'maildir <address> <path>', 'a Maildir with its folders')
    .option('--mailbox <name>', 'below this mailbox')
    .action(
      inSession((session, address: string, path: string, options) =>
        bringIn(session, address, path, findMaildir, options),
      ),
    )
}

interface ImportOptions {
  mailbox?: string
}

interface Source {
  mailboxes: string[]
  messages(): AsyncIterable<FiledMessage>
}

/** `others`: what it passes over, for it is no regular file. */
type Find = (path: string, options: ImportOptions, others: string[]) => Promise<Source>

async function bringIn(
  session: Session,
  login: string,
  path: string,
  find: Find,
  options: ImportOptions,
): Promise<void> {
  const { uploadOf } = await import('@pennypost/admin/mail-files')
  if (!isThere(path)) throw new UsageError(`There is no ${path}.`)
  const others: string[] = []
  const { mailboxes, messages } = await find(path, options, others)
  const result = await session.call('import', { login, mailboxes }, { upload: () => uploadOf(messages()) })
  for (const other of others) note(`pennypost: ${clean(other)} is no regular file, and was passed over.\n`)
  const skipped = result.skipped > 0 ? `, ${result.skipped} ${were(result.skipped)} there already` : ''
  const where = result.mailboxes.length > 0 ? ` into ${result.mailboxes.join(', ')}` : ''
  session.show(result, `${plural(result.imported, 'message')} imported${where}${skipped}.\n`)
}

async function findMbox(path: string, { mailbox }: ImportOptions): Promise<Source> {
  const { findMboxFiles, readMboxFile } = await import('@pennypost/admin/mail-files')
  if ((await stat(path)).isFile()) {
    return { mailboxes: [], messages: () => readMboxFile(path, mailbox ?? 'INBOX') }
  }
  const files = await findMboxFiles(path)
  if (files.length === 0) throw new UsageError(`There are no mbox files in ${path}.`)
  return sourceOf(files, mailbox, (file) => readMboxFile(file.path, file.mailbox))
}

export async function findMaildir(path: string, { mailbox }: ImportOptions, others: string[]): Promise<Source> {
  const { findMaildirs, readMaildir } = await import('@pennypost/admin/mail-files')
  const folders = (await stat(path)).isDirectory() ? await findMaildirs(path) : []
  if (folders.length === 0)
    throw new UsageError(`${path} is no Maildir: there is no directory "cur" in it or below it.`)
  return sourceOf(folders, mailbox, (folder) => readMaildir(folder, (other) => others.push(other)))
}

type Folder = { path: string; mailbox: string }

function sourceOf(
  found: readonly Folder[],
  mailbox: string | undefined,
  read: (folder: Folder) => AsyncIterable<FiledMessage>,
): Source {
  const folders = found.map((folder) => ({ ...folder, mailbox: below(mailbox, folder.mailbox) }))
  return {
    mailboxes: folders.map((folder) => folder.mailbox),
    async *messages() {
      for (const folder of folders) yield* read(folder)
    },
  }
}

/** INBOX of the source goes into the mailbox itself. */
function below(mailbox: string | undefined, name: string): string {
  if (mailbox === undefined) return name
  return name.toUpperCase() === 'INBOX' ? mailbox : `${mailbox}/${name}`
}

import type { ExportTarget } from '@pennypost/admin/mail-files'
import type { Command } from 'commander'
import type { Session } from './session.ts'
import { plural } from './table.ts'
import { addVerb, inSession } from './verb.ts'

/** `export mbox|maildir ADDRESS PATH`. Files are written here, with the rights of whoever runs the verb. */
export function register(program: Command): void {
  const group = program.command('export').description('mail of an account into files, with dates, flags and UIDLs')
  addVerb(group, 'mbox <address> <path>', 'a directory of mbox files, or one file with --mailbox')
    .option('--mailbox <name>', 'this mailbox only')
    .action(inSession(mbox))
  addVerb(group, 'maildir <address> <path>', 'a Maildir with folders; repeated, it adds what is new')
    .option('--mailbox <name>', 'this mailbox only')
    .action(inSession(maildir))
}

interface ExportOptions {
  mailbox?: string
}

async function mbox(session: Session, address: string, path: string, options: ExportOptions): Promise<void> {
  const { MboxTarget } = await import('@pennypost/admin/mail-files')
  await bringOut(session, address, path, new MboxTarget(path, options.mailbox !== undefined), options)
}

async function maildir(session: Session, address: string, path: string, options: ExportOptions): Promise<void> {
  const { MaildirTarget } = await import('@pennypost/admin/mail-files')
  await bringOut(session, address, path, new MaildirTarget(path), options)
}

async function bringOut(
  session: Session,
  login: string,
  path: string,
  target: ExportTarget,
  { mailbox }: ExportOptions,
): Promise<void> {
  const { frameTaker } = await import('@pennypost/admin/mail-files')
  const result = await session.call('export', { login, mailbox }, { onFrame: frameTaker(target) })
  await target.finish()
  const text = `${plural(result.messages, 'message')} of ${plural(result.mailboxes, 'mailbox', 'mailboxes')} written to ${path}.\n`
  session.show(result, text)
}

import { type Command, Option } from 'commander'
import type { Session } from './session.ts'
import { formatTable, formatTime, nobody, plural } from './table.ts'
import { newPassword } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `account passwd`, `account app-password …`, `account grant|revoke`. No password ever stands in an argument. */
export function registerPasswords(group: Command): void {
  addVerb(group, 'passwd <address>', 'set the password; ends its sessions')
    .option('--password-stdin', 'read it from standard input')
    .action(inSession(passwd))
  const app = group.command('app-password').description('passwords for single devices, made by the server')
  addVerb(app, 'add <address>', 'make one and show it, this once')
    .requiredOption('--label <text>', 'what it is for, such as "telephone"')
    .addOption(
      new Option('--scope <services...>', 'only for these').choices(['imap', 'pop3', 'submission']).default([]),
    )
    .action(inSession(addApp))
  addVerb(app, 'list <address>', 'those that there are').action(inSession(listApps))
  addVerb(app, 'remove <address> <number>', 'let one be worth nothing any more').action(inSession(removeApp))
  addVerb(group, 'grant <address> <other>', 'let it send as another address, or @domain').action(inSession(grant))
  addVerb(group, 'revoke <address> <other>', 'take that back').action(inSession(revoke))
}

async function passwd(session: Session, login: string, options: { passwordStdin?: boolean }): Promise<void> {
  // Nobody types a password twice to learn that the account is not there.
  if (!options.passwordStdin) await session.call('account.show', { login })
  const password = await newPassword(login, options)
  const done = await session.call('account.passwd', { login, password })
  const still = done.appPasswords === 1 ? 'app password still works' : 'app passwords still work'
  const apps = `Its ${done.appPasswords} ${still}: \`pennypost account app-password list ${login}\`.\n`
  const ended = plural(done.endedSessions, 'session')
  const text = `The password of ${done.login} is changed; ${ended} ended.\n${done.appPasswords > 0 ? apps : ''}`
  session.show(done, text)
}

type Scope = 'imap' | 'pop3' | 'submission'

async function addApp(
  session: Session,
  login: string,
  { label, scope }: { label: string; scope: Scope[] },
): Promise<void> {
  const [{ generateAppPassword }, { systemRandom }] = await Promise.all([
    import('@pennypost/sasl'),
    import('@pennypost/model'),
  ])
  const password = generateAppPassword(systemRandom)
  const added = await session.call('account.app-password.add', { login, label, scope, password })
  const text = `App password ${added.id} for ${added.login} (${added.label}), shown this once:\n\n  ${password}\n\n`
  session.show({ ...added, password }, text)
}

async function listApps(session: Session, login: string): Promise<void> {
  const rows = await session.call('account.app-password.list', { login })
  const text = formatTable(
    rows,
    [
      { title: 'NUMBER', value: ({ id }) => id, right: true },
      { title: 'LABEL', value: ({ label }) => label },
      { title: 'FOR', value: ({ scope }) => (scope.length === 0 ? 'everything' : scope.join(', ')) },
      { title: 'MADE', value: ({ createdAt }) => formatTime(createdAt) },
      { title: 'LAST USED', value: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : formatTime(lastUsedAt)) },
    ],
    'No app passwords.',
  )
  session.show(rows, text)
}

async function removeApp(session: Session, login: string, number: string): Promise<void> {
  if (!/^\d{1,15}$/.test(number)) throw new UsageError(`"${number}" is no number of an app password.`)
  const removed = await session.call('account.app-password.remove', { login, id: Number(number) })
  const ended = plural(removed.endedSessions, 'session')
  session.show(removed, `App password ${removed.id} of ${removed.login} is worth nothing any more; ${ended} ended.\n`)
}

async function grant(session: Session, login: string, address: string): Promise<void> {
  const granted = await session.call('account.send-as.grant', { login, address })
  session.show(granted, `${granted.login} may also send as ${granted.sendAs.join(', ')}.\n${nobody(granted)}`)
}

async function revoke(session: Session, login: string, address: string): Promise<void> {
  const left = await session.call('account.send-as.revoke', { login, address })
  const text =
    left.sendAs.length > 0 ? `may also send as ${left.sendAs.join(', ')}` : 'sends as itself and its aliases only'
  session.show(left, `${left.login} ${text}.\n`)
}

import { readFile } from 'node:fs/promises'
import { AdminError, type Frame } from '@pennypost/admin/client'
import { type Account, domainOf, lookupAddress } from '@pennypost/model'
import type { Command } from 'commander'
import { parseSize } from '../config/quantity.ts'
import { registerPasswords } from './account-passwords.ts'
import { registerSharing, sharingLines } from './account-sharing.ts'
import type { Session } from './session.ts'
import { formatSize, formatTable, formatTime, plural } from './table.ts'
import { newPassword } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `account add|import|list|show|set|suspend|resume|remove|restore`; passwords and grants are beside it. */
export function register(program: Command): void {
  const group = program.command('account').description('people and devices with mailboxes here')
  addVerb(group, 'add <address>', 'make an account')
    .option('--name <name>', 'display name', '')
    .option('--quota <size>', 'room for mail, such as 2GB; 0 = no limit', '0')
    .option('--admin', 'an administrator', false)
    .option('--password-stdin', 'read the password from standard input')
    .option('--no-password', 'nobody can log in until `account passwd` sets one')
    .action(inSession(add))
  addVerb(group, 'import <file>', 'make accounts from CSV: address,password per line, or titled columns')
    .addHelpText(
      'after',
      '\nColumns: address, password or hash (bcrypt), name, quota. Accounts that exist are left as they are.',
    )
    .action(inSession(importFile))
  addVerb(group, 'list', 'all accounts')
    .option('--domain <domain>', 'of this domain only')
    .option('--removed', 'those whose removal can still be undone', false)
    .action(inSession(list))
  addVerb(group, 'show <address>', 'an account with its mailboxes, aliases and passwords').action(inSession(show))
  addVerb(group, 'set <address>', 'change name, quota, administrator, the copy in Sent, or what IMAP clients see')
    .option('--name <name>', 'display name')
    .option('--quota <size>', 'room for mail, such as 2GB; 0 = no limit')
    .option('--admin', 'make it an administrator')
    .option('--no-admin', 'it is none any more')
    .option('--copy-sent', 'file what it submits in its Sent mailbox too')
    .option('--no-copy-sent', 'leave that to its mail program')
    .option('--disable-capability <words...>', 'IMAP capabilities that its clients are not to see')
    .option('--enable-capability <words...>', 'those that they are to see again')
    .action(inSession(set))
  addVerb(group, 'quota <address> <size>', 'room for mail, such as 2GB; 0 = no limit').action(
    inSession((session, address: string, quota: string) => set(session, address, { quota })),
  )
  addVerb(group, 'suspend <address>', 'end its sessions, let nobody log in; mail still arrives').action(
    inSession(suspend),
  )
  addVerb(group, 'resume <address>', 'take a suspension back').action(inSession(resume))
  addVerb(group, 'remove <address>', 'remove an account; can be undone for 30 days').action(inSession(remove))
  addVerb(group, 'restore <address>', 'undo a removal').action(inSession(restore))
  registerSharing(group)
  registerPasswords(group)
}

function sizeOf(text: string): number {
  const octets = parseSize(text)
  if (octets === undefined) throw new UsageError(`"${text}" is no size; write e.g. 500MB, 2GB, or 0 for no limit.`)
  return octets
}

interface AddOptions {
  name: string
  quota: string
  admin: boolean
  password: boolean
  passwordStdin?: boolean
}

async function add(session: Session, address: string, options: AddOptions): Promise<void> {
  const quota = sizeOf(options.quota)
  if (!address.includes('@')) throw new UsageError(`"${address}" is no address; write e.g. ${address}@one.example.`)
  const asks = options.password && !options.passwordStdin
  // Nobody types a password twice to learn that the domain is not there.
  if (asks) await mustBeFree(session, address)
  const password = options.password ? await newPassword(address, options) : undefined
  const account = await session.call('account.add', {
    login: address,
    name: options.name,
    quota,
    admin: options.admin,
    password,
  })
  const next = account.hasPassword
    ? 'Mail programs log in with the whole address as user name.'
    : `Nobody can log in yet: \`pennypost account passwd ${account.login}\` sets a password.`
  session.show(account, `${account.login} added. ${next}\n`)
}

async function mustBeFree(session: Session, address: string): Promise<void> {
  const { accounts } = await session.call('domain.show', { name: domainOf(address) })
  const login = lookupAddress(address)
  if (accounts.some((account) => account.login === login && account.removedAt === null)) {
    throw new AdminError('exists', `${login} exists.`, `\`pennypost account passwd ${login}\` sets its password.`)
  }
}

async function importFile(session: Session, file: string): Promise<void> {
  const { parseAccounts } = await import('./account-csv.ts')
  const accounts = parseAccounts(await readFile(file, 'utf8'))
  async function* upload(): AsyncGenerator<Frame> {
    for (const account of accounts) yield { head: { ...account } }
  }
  const { added, present } = await session.call('account.import', { accounts: accounts.length }, { upload })
  const kept =
    present.length > 0
      ? `, ${plural(present.length, 'account')} existed and stayed as ${present.length === 1 ? 'it is' : 'they are'}`
      : ''
  session.show({ added, present }, `${plural(added.length, 'account')} added${kept}.\n`)
}

async function list(session: Session, { domain, removed }: { domain?: string; removed: boolean }): Promise<void> {
  const rows = await session.call('account.list', { removed, domain })
  const none = domain === undefined ? 'No account yet' : `No account in ${domain}`
  const text = formatTable(
    rows,
    [
      { title: 'ADDRESS', value: ({ login }) => login },
      { title: 'NAME', value: ({ name }) => name },
      { title: 'MESSAGES', value: ({ usage }) => usage.messages, right: true },
      { title: 'SIZE', value: ({ usage }) => formatSize(usage.octets), right: true },
      { title: 'QUOTA', value: ({ quota }) => (quota === 0 ? '-' : formatSize(quota)), right: true },
      { title: 'SCRAM', value: ({ scramReady }) => (scramReady ? 'ready' : '-') },
      { title: 'STATE', value: (account) => stateOf(account) },
    ],
    removed ? 'No account was removed.' : `${none}: \`pennypost account add ADDRESS\` makes one.`,
  )
  session.show(rows, text)
}

function stateOf(account: Pick<Account, 'suspended' | 'admin' | 'removedAt'>): string {
  if (account.removedAt !== null) return `removed ${formatTime(account.removedAt)}`
  return [account.suspended ? 'suspended' : 'active', ...(account.admin ? ['administrator'] : [])].join(', ')
}

async function show(session: Session, address: string): Promise<void> {
  const account = await session.call('account.show', { login: address })
  const { login, name, usage, quota, aliases, sendAs, credentials, mailboxes } = account
  session.show(account, () => {
    const room = quota === 0 ? 'no limit' : `of ${formatSize(quota)}`
    const proofs = credentials.map(({ kind, id, label, scramReady, lastUsedAt }) => {
      const used = lastUsedAt === null ? 'never used' : `last used ${formatTime(lastUsedAt)}`
      const scram = scramReady ? ', ready for SCRAM' : ''
      return kind === 'password' ? `password    set${scram}` : `app ${String(id).padEnd(8)}${label}, ${used}${scram}`
    })
    const lines = [
      `${login}${name ? ` (${name})` : ''}: ${stateOf(account)}`,
      `made        ${formatTime(account.createdAt)}`,
      `mail        ${plural(usage.messages, 'message')}, ${formatSize(usage.octets)}, ${room}`,
      ...(account.copySent ? ['sent        what it submits is filed in Sent too'] : []),
      ...aliases.map((alias) => `alias       ${alias}`),
      ...sendAs.map((of) => `sends as    ${of}`),
      ...sharingLines(account),
      ...(proofs.length > 0 ? proofs : ['password    none: nobody can log in']),
      '',
    ]
    const table = formatTable(
      mailboxes,
      [
        { title: 'MAILBOX', value: (mailbox) => mailbox.name },
        { title: 'USE', value: ({ specialUse }) => specialUse ?? '' },
        { title: 'MESSAGES', value: ({ messages }) => messages, right: true },
        { title: 'UNSEEN', value: ({ unseen }) => unseen, right: true },
        { title: 'SIZE', value: ({ size }) => formatSize(size), right: true },
      ],
      'No mailboxes.',
    )
    return `${lines.join('\n')}\n${table}`
  })
}

interface SetOptions {
  name?: string
  quota?: string
  admin?: boolean
  copySent?: boolean
  disableCapability?: string[]
  enableCapability?: string[]
}

async function set(
  session: Session,
  address: string,
  { name, quota, admin, copySent, disableCapability = [], enableCapability = [] }: SetOptions,
): Promise<void> {
  const words = disableCapability.length + enableCapability.length
  if ([name, quota, admin, copySent].every((each) => each === undefined) && words === 0) {
    const options = '--name, --quota, --[no-]admin, --[no-]copy-sent, --disable-capability or --enable-capability'
    throw new UsageError(`Nothing to change: give ${options}.`)
  }
  const account = await session.call('account.set', {
    login: address,
    name,
    quota: quota === undefined ? undefined : sizeOf(quota),
    admin,
    copySent,
    disableCapabilities: disableCapability,
    enableCapabilities: enableCapability,
  })
  const room = account.quota === 0 ? 'no quota' : `quota ${formatSize(account.quota)}`
  const { disabledCapabilities: without } = account
  const mask = without.length > 0 ? `, IMAP without ${without.join(' ')} from the next login on` : ''
  session.show(account, `${account.login}: ${room}, ${stateOf(account)}${mask}.\n`)
}

async function suspend(session: Session, login: string): Promise<void> {
  const done = await session.call('account.suspend', { login })
  session.show(done, `${done.login} suspended; ${plural(done.endedSessions, 'session')} ended. Mail still arrives.\n`)
}

async function resume(session: Session, login: string): Promise<void> {
  const done = await session.call('account.resume', { login })
  session.show(done, `${done.login} can log in again.\n`)
}

async function remove(session: Session, login: string): Promise<void> {
  const done = await session.call('account.remove', { login })
  const until = formatTime(done.restorableUntil)
  const aliases = done.aliases.map((alias) => `The alias ${alias} still names it.\n`).join('')
  session.show(
    done,
    `${done.login} removed. Until ${until} \`pennypost account restore ${done.login}\` undoes it.
Mail for it is refused; \`pennypost alias add ${done.login} ADDRESS\` lets it go to somebody else.\n${aliases}`,
  )
}

async function restore(session: Session, login: string): Promise<void> {
  const done = await session.call('account.restore', { login })
  session.show(done, `${done.login} is back, with its mail.\n`)
}

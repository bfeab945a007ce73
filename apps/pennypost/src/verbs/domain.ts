import type { Command } from 'commander'
import type { Session } from './session.ts'
import { formatTable, nobody } from './table.ts'
import { UsageError } from './usage-error.ts'
import { addVerb, inSession } from './verb.ts'

/** `domain add|list|show|set|remove`. */
export function register(program: Command): void {
  const group = program.command('domain').description('domains whose mail is here, or is taken and handed on')
  addVerb(group, 'add <domain>', 'take mail for a domain')
    .option('--alias-of <domain>', 'another name of that domain: the same accounts and aliases')
    .option('--relay-to <host>', 'hand its mail on to host or host:port')
    .option(
      '--verify-recipients',
      'with --relay-to: refuse the recipients that this host refuses, which is asked at RCPT',
    )
    .option('--catch-all <address>', 'where mail for unknown addresses goes; refused without')
    .action(inSession(add))
  addVerb(group, 'list', 'all domains').action(inSession(list))
  addVerb(group, 'show <domain>', 'a domain with its accounts and aliases').action(inSession(show))
  addVerb(group, 'set <domain>', 'change where mail for unknown addresses goes, or whom its mail is handed on to')
    .option('--catch-all <address>', 'where mail for unknown addresses goes')
    .option('--no-catch-all', 'refuse it')
    .option('--relay-to <host>', 'of a domain that is handed on: the host or host:port')
    .option('--verify-recipients', 'of a domain that is handed on: refuse the recipients that this host refuses')
    .option('--no-verify-recipients', 'take mail for all of them')
    .action(inSession(set))
  addVerb(group, 'remove <domain>', 'take no more mail for a domain').action(inSession(remove))
}

interface AddOptions {
  aliasOf?: string
  relayTo?: string
  verifyRecipients?: boolean
  catchAll?: string
}

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const { aliasOf, relayTo, verifyRecipients, catchAll } = options
  const domain = await session.call('domain.add', { name, aliasOf, relayTo, verifyRecipients, catchAll })
  const whom = domain.hasPostmaster ? 'the administrator' : 'the first account that you make'
  const next =
    domain.kind === 'local'
      ? `postmaster@ and abuse@ reach ${whom}.
Next: \`pennypost dns records ${domain.name}\` shows what to publish, \`pennypost account add NAME@${domain.name}\` makes an account.`
      : `Next: \`pennypost dns records ${domain.name}\` shows what to publish.`
  session.show(domain, `${domain.name} added.\n${nobody(domain)}${next}\n`)
}

interface SetOptions {
  /** false: none. */
  catchAll?: string | false
  relayTo?: string
  verifyRecipients?: boolean
}

async function set(session: Session, name: string, options: SetOptions): Promise<void> {
  const { catchAll, relayTo, verifyRecipients } = options
  if (catchAll === undefined && relayTo === undefined && verifyRecipients === undefined) {
    throw new UsageError(
      'Nothing to change: give --catch-all ADDRESS, --no-catch-all, --relay-to HOST or --[no-]verify-recipients.',
    )
  }
  const domain = await session.call('domain.set', {
    name,
    ...(catchAll === undefined ? {} : { catchAll: catchAll === false ? '' : catchAll }),
    ...(relayTo === undefined ? {} : { relayTo }),
    ...(verifyRecipients === undefined ? {} : { verifyRecipients }),
  })
  const unknown = domain.catchAll === '' ? 'is refused' : `goes to ${domain.catchAll}`
  const verified = domain.verifyRecipients ? ', which is asked for each recipient' : ''
  const now =
    domain.kind === 'relay' ? `is handed on to ${domain.target}${verified}` : `for unknown addresses ${unknown}`
  session.show(domain, `Mail of ${domain.name} ${now}.\n${nobody(domain)}${waitingText(domain)}`)
}

/** What is left where the mail of a domain went so far. */
export function waitingText({ waitsFor, target }: { waitsFor: string; target: string }): string {
  if (waitsFor === '') return ''
  const redirect = `\`pennypost queue redirect ${target} --destination ${waitsFor}\``
  return `What waits for ${waitsFor} still goes there: ${redirect} sends it the new way.\n`
}

async function list(session: Session): Promise<void> {
  const rows = await session.call('domain.list', {})
  const text = formatTable(
    rows,
    [
      { title: 'DOMAIN', value: ({ name }) => name },
      { title: 'KIND', value: ({ kind, target }) => (kind === 'local' ? kind : `${kind} ${target}`) },
      { title: 'ACCOUNTS', value: ({ accounts }) => accounts, right: true },
      { title: 'ALIASES', value: ({ aliases }) => aliases, right: true },
      { title: 'CATCH-ALL', value: ({ catchAll }) => catchAll },
      { title: 'VERIFIED', value: ({ verifyRecipients }) => (verifyRecipients ? 'yes' : '') },
    ],
    'No domain yet: `pennypost domain add NAME` adds one.',
  )
  session.show(rows, text)
}

async function show(session: Session, name: string): Promise<void> {
  const domain = await session.call('domain.show', { name })
  const lines = [
    `${domain.name}: ${domain.kind}${domain.target ? ` ${domain.target}` : ''}`,
    ...(domain.catchAll ? [`catch-all   ${domain.catchAll}`] : []),
    ...(domain.verifyRecipients ? [`recipients  verified: refused where ${domain.target} refuses them`] : []),
    ...domain.aliasDomains.map((alias) => `also named  ${alias}`),
    ...domain.accounts.map(({ login, suspended, removedAt }) => {
      return `account     ${login}${removedAt !== null ? ' (removed)' : suspended ? ' (suspended)' : ''}`
    }),
    ...domain.aliases.map(({ address, targets }) => `alias       ${address} → ${targets.join(', ')}`),
  ]
  session.show(domain, `${lines.join('\n')}\n`)
}

async function remove(session: Session, name: string): Promise<void> {
  const removed = await session.call('domain.remove', { name })
  session.show(removed, `${removed.name} removed. Its DKIM keys stay in the data directory.\n`)
}

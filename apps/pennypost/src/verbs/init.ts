import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { PublishedRecord } from '@pennypost/admin'
import { lookupAddress, lookupDomain, makeDirectory, syncPath, systemRandom } from '@pennypost/model'
import type { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import type { DirectAdministration } from './direct.ts'
import { recordsText } from './dns.ts'
import { configText } from './init-config.ts'
import { currentUser } from './session.ts'
import { jsonOf } from './table.ts'
import { askHidden, note, out, readPasswordLine } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/**
 * `init --domain D`: an installation from nothing. The configuration file is written last, so that an init that failed
 * can be run again; what it had made by then is kept.
 */
interface InitOptions {
  domain: string
  hostname?: string
  dir: string
  account?: string
  passwordStdin?: boolean
  json?: boolean
}

export function register(program: Command): void {
  program
    .command('init')
    .description('write configuration, keys and the first account; print what to publish and what comes next')
    .requiredOption('--domain <domain>', 'the domain whose mail is to be here')
    .option('--hostname <name>', 'name of this server (default: mail.<domain>)')
    .option('--dir <directory>', 'where pennypost.toml goes', '.')
    .option('--account <address>', 'the first account, which is the administrator')
    .option('--password-stdin', 'read its password from standard input')
    .option('--json', 'answer as JSON, also with what went wrong')
    .action(init)
}

async function init(options: InitOptions): Promise<void> {
  const { domain, hostname, account } = checked(options)
  const file = resolve(options.dir, 'pennypost.toml')
  if (existsSync(file)) {
    throw new UsageError(`${file} exists. To begin anew, move it and its data directory away.`)
  }
  const password = await choosePassword(account, options)
  const document = configText({ hostname, administrator: account })
  const { checkConfig } = await import('../config/load.ts')
  const config = checkConfig(file, document)
  makeDirectory(options.dir)
  const records = await fill({ configFile: file, dataDirectory: join(resolve(options.dir), 'data') }, config, {
    domain,
    account,
    password: password.text,
  })
  await writeFile(file, document, { mode: 0o640, flag: 'wx', flush: true })
  await syncPath(dirname(file))
  if (options.json) {
    const made = password.isGenerated ? { password: password.text } : {}
    out(`${jsonOf({ config: file, hostname, account, ...made, records })}\n`)
    return
  }
  out(`${recordsText(domain, records)}\n`)
  const shown = password.isGenerated ? `, password (shown this once): ${password.text}` : ''
  out(nextSteps({ file, account: `${account}${shown}`, hostname, isDefault: resolve('pennypost.toml') === file }))
}

function checked({ domain: given, hostname: name, account: address }: InitOptions) {
  const domain = lookupDomain(given)
  if (domain === undefined || !domain.includes('.'))
    throw new UsageError(`"${given}" is no domain; write e.g. example.org.`)
  const hostname = lookupDomain(name ?? `mail.${domain}`)
  if (hostname === undefined) throw new UsageError(`"${name}" is no host name.`)
  const account = lookupAddress(address ?? `${firstName()}@${domain}`)
  if (account === undefined || !account.endsWith(`@${domain}`)) {
    throw new UsageError(`The first account must be an address at ${domain}.`)
  }
  return { domain, hostname, account }
}

function firstName(): string {
  const user = currentUser()
  return /^[a-z][a-z0-9._-]*$/i.test(user) && user !== 'root' ? user : 'admin'
}

async function choosePassword(account: string, options: InitOptions): Promise<{ text: string; isGenerated: boolean }> {
  if (options.passwordStdin) return { text: await readPasswordLine(), isGenerated: false }
  if (process.stdin.isTTY) {
    const typed = await askHidden(`Password for ${account} (empty: have one made): `)
    if (typed !== '') {
      if (typed !== (await askHidden('Once more: ')))
        throw new UsageError('The two passwords differ; nothing was changed.')
      return { text: typed, isGenerated: false }
    }
  }
  return { text: systemRandom.bytes(15).toString('base64url'), isGenerated: true }
}

/** Domain, keys, account, certificate; what was there from an earlier try is kept. The DNS records. */
async function fill(
  place: { configFile: string; dataDirectory: string },
  config: Config,
  { domain, account, password }: { domain: string; account: string; password: string },
): Promise<PublishedRecord[]> {
  const [{ openDirect }, { ensureSelfSigned }, { systemClock }] = await Promise.all([
    import('./direct.ts'),
    import('@pennypost/transport'),
    import('@pennypost/model'),
  ])
  const administration = await openDirect(place, currentUser(), config)
  try {
    await refuseDemo(administration, place.dataDirectory)
    await unlessThere(administration.call('domain.add', { name: domain }))
    const isNew = await unlessThere(administration.call('account.add', { login: account, admin: true, password }))
    if (!isNew) await administration.call('account.passwd', { login: account, password })
    const directory = join(place.dataDirectory, 'tls')
    await ensureSelfSigned({ hostname: config.hostname, directory, clock: systemClock, random: systemRandom })
    return await recordsOf(administration, domain)
  } finally {
    await administration.close()
  }
}

/** An administrator whose password everybody knows has no place in an installation. */
async function refuseDemo({ call }: DirectAdministration, dataDirectory: string): Promise<void> {
  const [domains, { demoDomain }] = await Promise.all([call('domain.list', {}), import('../serve/demo.ts')])
  if (!domains.some(({ name }) => name === demoDomain)) return
  throw new UsageError(`${dataDirectory} is of the demo: move it away, or name another place with --dir.`)
}

async function unlessThere(adding: Promise<unknown>): Promise<boolean> {
  try {
    await adding
    return true
  } catch (error) {
    if ((error as { reason?: string }).reason !== 'exists') throw error
    note(`pennypost: ${(error as Error).message} It stays.\n`)
    return false
  }
}

async function recordsOf({ call }: DirectAdministration, domain: string): Promise<PublishedRecord[]> {
  const [first] = await call('dns.records', { domain })
  return first?.records ?? []
}

function nextSteps(facts: { file: string; account: string; hostname: string; isDefault: boolean }): string {
  const config = facts.isDefault ? '' : ` --config ${facts.file}`
  return `Written: ${facts.file}, and the data directory beside it.
First account: ${facts.account}

Next:
  1. Publish the records above; ask who provides the address for its PTR, ${facts.hostname}.
  2. Get a certificate for ${facts.hostname} and name it in [tls], or let [tls.acme] do it; until then the server uses
     one of its own. With the https listener open too, mail programs need no more than address and password.
  3. pennypost serve${config}        (ports below 1024 need root, or CAP_NET_BIND_SERVICE)
  4. pennypost dns check${config}    says when the records are right
  5. pennypost status${config}       says what else is wrong

Mail programs: IMAP ${facts.hostname} port 993, submission ${facts.hostname} port 465, both with TLS, the whole address
as user name.
`
}

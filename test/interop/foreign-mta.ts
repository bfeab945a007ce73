/**
 * Real MTAs of other makers on loopback, each with a configuration and a queue of its own in a throw-away directory: they
 * serve two.test, whose mail to bob lies in files, while behind team there is somebody who has gone, and hand mail for one.test to the port that they are told.
 */
import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { find, has } from './programs.ts'

export interface ForeignMta extends AsyncDisposable {
  /** What lies in bob@two.test's mailbox. */
  inbox(): string[]
}

export interface ForeignMtaOptions {
  directory: string
  /** Where it listens, on 127.0.0.1. */
  port: number
  /** Where one.test's MX listens. */
  peer: number
}

const isRoot = process.getuid?.() === 0
const nobody = 65_534

/** Both start as root and drop what they do not need. */
export const hasPostfix: boolean = isRoot && has('postfix') && has('postconf')
export const hasExim: boolean = isRoot && has('exim4') && runs('exim4', '-C', '/dev/null', '-bV')

/** Without its user, or a library, it is not really there. */
function runs(...[program, ...args]: readonly [string, ...string[]]): boolean {
  return spawnSync(program, args, { stdio: 'ignore' }).status === 0
}

/** Postfix: master and its daemons. Ends with `postfix stop`. */
export async function startPostfix({ directory, port, peer }: ForeignMtaOptions): Promise<ForeignMta> {
  const at = (name: string): string => join(directory, name)
  const mail = at('mail')
  for (const name of ['etc', 'spool', 'data', 'mail']) mkdirSync(at(name))
  chownSync(mail, nobody, nobody)
  spawnSync('chown', ['postfix', at('data')])
  writeFileSync(
    at('etc/main.cf'),
    `compatibility_level = 3.6
queue_directory = ${at('spool')}
data_directory = ${at('data')}
maillog_file = ${at('log')}
maillog_file_prefixes = ${directory}
myhostname = mail.two.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtputf8_enable = yes
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = two.test
virtual_mailbox_base = ${mail}
virtual_mailbox_maps = inline:{ bob@two.test=bob/ }
virtual_alias_maps = inline:{ team@two.test=gone@two.test }
virtual_uid_maps = static:${nobody}
virtual_gid_maps = static:${nobody}
virtual_minimum_uid = 1
transport_maps = inline:{ one.test=smtp:[127.0.0.1]:${peer} }
smtp_tls_security_level = may
smtp_destination_concurrency_limit = 5
`,
  )
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'postlog unix-dgram n - n - 1 postlogd',
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'smtp unix - - n - - smtp',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'scache unix - - n - 1 scache',
    'proxymap unix - - n - - proxymap',
  ]
  writeFileSync(at('etc/master.cf'), `${services.join('\n')}\n`)
  const control = (verb: string) => spawnSync('postfix', ['-c', at('etc'), verb], { encoding: 'utf8' })
  const started = control('start')
  await listens(port, () => `${started.stderr}\n${existsSync(at('log')) ? readFileSync(at('log'), 'utf8') : ''}`)
  return {
    inbox: () => readMaildir(join(mail, 'bob')),
    async [Symbol.asyncDispose]() {
      control('stop')
    },
  }
}

/** Exim: one daemon that also runs its queue. */
export async function startExim({ directory, port, peer }: ForeignMtaOptions): Promise<ForeignMta> {
  const mail = join(directory, 'mail')
  for (const name of ['spool', 'log', 'mail']) {
    mkdirSync(join(directory, name))
    spawnSync('chown', ['Debian-exim', join(directory, name)])
  }
  const config = join(directory, 'exim.conf')
  writeFileSync(
    config,
    `exim_path = ${find('exim4')}
primary_hostname = mail.two.test
spool_directory = ${directory}/spool
log_file_path = ${directory}/log/%slog
pid_file_path = ${directory}/exim.pid
domainlist local_domains = two.test
acl_smtp_rcpt = check
acl_smtp_data = take
tls_advertise_hosts =
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
chunking_advertise_hosts = *
deliver_drop_privilege
begin acl
check:
  accept domains = +local_domains
    verify = recipient
  deny domains = +local_domains
    message = no such user
  accept hosts = 127.0.0.1
  deny
take:
  accept
begin routers
team:
  driver = redirect
  domains = +local_domains
  local_parts = team
  data = bob@two.test, gone@three.test
local:
  driver = accept
  domains = +local_domains
  local_parts = bob
  transport = file
out:
  driver = manualroute
  domains = one.test
  route_data = 127.0.0.1::${peer}
  self = send
  transport = smtp
begin transports
file:
  driver = appendfile
  directory = ${mail}/bob
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add
smtp:
  driver = smtp
  hosts_try_dane =
  tls_verify_hosts =
  tls_try_verify_hosts =
begin retry
* * F,1h,1m
`,
    { mode: 0o644 },
  )
  const args = ['-C', config, '-bdf', '-q1s', '-oX', `127.0.0.1.${port}`]
  const child = spawn('exim4', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString()
  })
  await listens(port, () => said)
  return {
    inbox: () => readMaildir(join(mail, 'bob')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

async function listens(port: number, says: () => string): Promise<void> {
  const until = AbortSignal.timeout(20_000)
  while (!(await accepts(port))) {
    if (until.aborted) throw new Error(`nobody listens on port ${port}:\n${says()}`)
    await setTimeout(100)
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.end('QUIT\r\n')
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}

function readMaildir(directory: string): string[] {
  const fresh = join(directory, 'new')
  if (!existsSync(fresh)) return []
  return readdirSync(fresh).map((name) => readFileSync(join(fresh, name), 'latin1'))
}

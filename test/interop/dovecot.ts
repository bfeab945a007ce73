/**
 * Dovecot as a second opinion: its `imap` process alone, over pipes, already logged in, on a Maildir of our messages.
 * No daemon, no port, no account of the machine; nothing of its own configuration is read.
 */
import { spawn, spawnSync } from 'node:child_process'
import { accessSync, chmodSync, chownSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ImapWire } from './imap-wire.ts'

const program = '/usr/lib/dovecot/imap'
/** Dovecot reads no mail as root; it gives its rights away to these when it has them. */
const nobody = 65534

/** Whether Debian's dovecot-imapd is installed, in the version whose settings and readings are known here. */
export function hasDovecot(): boolean {
  try {
    accessSync(program, constants.X_OK)
    return spawnSync('dovecot', ['--version'], { encoding: 'utf8' }).stdout.startsWith('2.3.')
  } catch {
    return false
  }
}

export interface Dovecot extends AsyncDisposable {
  readonly wire: ImapWire
}

/** A session in which INBOX is to be selected; its messages are `contents`, in order. */
export async function startDovecot(contents: readonly Buffer[]): Promise<Dovecot> {
  const home = mkdtempSync(join(tmpdir(), 'pennypost-dovecot-'))
  const asRoot = process.getuid?.() === 0
  const mine = (path: string): string => {
    if (asRoot) chownSync(path, nobody, nobody)
    return path
  }
  const makeDirectory = (path: string): string => {
    mkdirSync(path)
    return mine(path)
  }
  chmodSync(mine(home), 0o700)
  const mail = makeDirectory(join(home, 'mail'))
  for (const name of ['new', 'cur', 'tmp']) makeDirectory(join(mail, name))
  for (const [number, content] of contents.entries()) {
    mine(write(join(mail, 'cur', `${1_700_000_000 + number}.${String(number).padStart(6, '0')}.test:2,`), content))
  }
  const settings = {
    mail_location: `maildir:${mail}`,
    base_dir: makeDirectory(join(home, 'run')),
    log_path: join(home, 'log'),
    protocols: 'imap',
    ssl: 'no',
    stats_writer_socket_path: '',
    ...(asRoot ? { mail_uid: nobody, mail_gid: nobody } : {}),
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${value}\n`)
  const config = mine(write(join(home, 'dovecot.conf'), `${lines.join('')}namespace inbox {\n  inbox = yes\n}\n`))
  // Node's pipes are sockets, on which it says nothing: real pipes stand between.
  const child = spawn('/bin/sh', ['-c', 'cat | "$0" -c "$1" | cat', program, config], {
    cwd: home,
    env: { PATH: process.env.PATH, USER: 'nobody', HOME: home },
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.stdin.on('error', () => {})
  const wire = new ImapWire(child.stdout, child.stdin)
  await wire.response()
  return {
    wire,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await gone
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function write(path: string, content: Buffer | string): string {
  writeFileSync(path, content)
  return path
}

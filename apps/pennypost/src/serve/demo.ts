import type { Clock, Store } from '@pennypost/model'
import type { Passwords } from '@pennypost/sasl'
import { type Config, configSchema } from '../config/schema.ts'
import { UsageError } from '../verbs/usage-error.ts'

/**
 * The demo of `npm start`: every service on loopback, two accounts, a password that everybody knows. Nothing leaves the
 * machine: mail to other domains comes back as a bounce, since the demo knows no other domains.
 */
export const demoDomain = 'demo.test'
const demoPassword = 'demo'

const ports = [
  ['smtp', 2525],
  ['submission', 2587],
  ['submissions', 2465],
  ['lmtp', 2424],
  ['pop3', 2110],
  ['pop3s', 2995],
  ['imap', 2143],
  ['imaps', 2993],
  ['http', 2080],
] as const

export function demoConfig(): Config {
  return configSchema.parse({
    hostname: `mail.${demoDomain}`,
    data_dir: 'data',
    listener: ports.map(([service, port]) => ({ service, address: '127.0.0.1', port })),
    policy: { require_tls_for_auth: false },
    admin: { address: `alice@${demoDomain}` },
    log: { file: 'data/pennypost.log' },
  })
}

/**
 * Domain and accounts of the demo, as far as they are not there. Never in the store of an installation: one of the accounts
 * is an administrator, and the world can reach the server by then.
 */
export async function fillDemo(store: Store, passwords: Passwords, clock: Clock): Promise<void> {
  const { directory } = store
  if (!(await directory.domain(demoDomain))) {
    if ((await directory.domains()).length > 0) {
      throw new UsageError('./data is of an installation of your own: run the demo in another directory.')
    }
    await directory.addDomain({ name: demoDomain, kind: 'local', target: '', catchAll: '' })
  }
  for (const name of ['alice', 'bob']) {
    const login = `${name}@${demoDomain}`
    if (await directory.accountByLogin(login)) continue
    const admin = name === 'alice'
    const displayName = name.charAt(0).toUpperCase() + name.slice(1)
    const verifier = await passwords.hash(demoPassword)
    await directory.addAccount({ login, name: displayName, quota: 0, admin, verifier }, clock.now())
  }
}

/** The first screen: what runs, and lines to copy. */
export function demoScreen(): string {
  const line = (service: string): string => String(ports.find(([name]) => name === service)?.[1])
  return `
  Pennypost demo: a whole mail server on this machine, on loopback only.

    accounts    alice@${demoDomain}, bob@${demoDomain}     password: ${demoPassword}
    SMTP        127.0.0.1:${line('smtp')}      submission  127.0.0.1:${line('submission')} (STARTTLS), :${line('submissions')} (TLS)
    IMAP        127.0.0.1:${line('imap')}, TLS :${line('imaps')}      POP3  127.0.0.1:${line('pop3')}, TLS :${line('pop3s')}
    LMTP        127.0.0.1:${line('lmtp')}      health and metrics  http://127.0.0.1:${line('http')}/

  Try, in another terminal:

    send a letter     printf 'From: alice@${demoDomain}\\nTo: bob@${demoDomain}\\nSubject: hello\\n\\nHello, Bob.\\n' |
                        curl -k --ssl-reqd --url smtp://127.0.0.1:${line('submission')} -u alice@${demoDomain}:${demoPassword} \\
                          --mail-from alice@${demoDomain} --mail-rcpt bob@${demoDomain} -T -
    read it by IMAP   curl -u bob@${demoDomain}:${demoPassword} 'imap://127.0.0.1:${line('imap')}/INBOX;MAILINDEX=1'
    read it by POP3   curl -u bob@${demoDomain}:${demoPassword} pop3://127.0.0.1:${line('pop3')}/1
    follow its way    npm run -s pennypost -- trace ID        (the id in the letter's Received line)
    look around       npm run -s pennypost -- status

  The log is in data/pennypost.log. Ctrl-C ends it; the mail stays in ./data.
`
}

/**
 * Real servers for end-to-end and interop tests: the composition of the program, on a throw-away data directory and
 * loopback ports of the system's choice, with accounts whose password is `secret`.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock } from '@pennypost/model'
import { checkConfig } from '../../apps/pennypost/src/config/load.ts'
import { type RunningServer, startServer } from '../../apps/pennypost/src/serve/server.ts'

export interface Instance extends AsyncDisposable {
  readonly server: RunningServer
  readonly domain: string
  readonly directory: string
  /** Port of the first listener of that service. */
  port(service: string): number
  /** Stops it as SIGTERM would, and keeps the data. */
  stop(): Promise<void>
}

export interface InstanceOptions {
  domain: string
  accounts: readonly string[]
  /** Data of an earlier instance. */
  directory?: string
  /** Lines of pennypost.toml beyond hostname and listeners. */
  toml?: string
  /** Fixed port of the MX; 0 lets the system choose. */
  mxPort?: number
}

/** Configuration of a server that sends all mail to this port, and asks no DNS. */
export const throughHop = (port: number): string => `[dns]
servers = ["127.0.0.1:9"]
[policy]
require_tls_for_auth = false
[relay]
smarthost = "127.0.0.1:${port}"
`

const services = ['submission', 'submissions', 'lmtp', 'pop3', 'pop3s', 'imap', 'imaps'] as const

export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { domain, accounts, toml = '', mxPort = 0 } = options
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'pennypost-e2e-'))
  const listeners = [['smtp', mxPort] as const, ...services.map((service) => [service, 0] as const)]
  const document = [
    `hostname = "mail.${domain}"`,
    toml,
    ...listeners.map(
      ([service, port]) => `[[listener]]\nservice = "${service}"\naddress = "127.0.0.1"\nport = ${port}`,
    ),
  ].join('\n')
  const server = await startServer({
    config: checkConfig('test.toml', document),
    base: directory,
    demo: false,
    log: silentLog,
    errors: () => [],
    onFatal(error) {
      throw error
    },
    async prepare(store, passwords) {
      if (await store.directory.domain(domain)) return
      await store.directory.addDomain({ name: domain, kind: 'local', target: '', catchAll: '' })
      const verifier = await passwords.hash('secret')
      for (const name of accounts) {
        const account = await store.directory.addAccount(
          { login: `${name}@${domain}`, name, quota: 0, admin: false },
          systemClock.now(),
        )
        await store.credentials.setPassword(account.id, verifier, systemClock.now())
      }
    },
  })
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    await server.stop(1000)
  }
  return {
    server,
    domain,
    directory,
    port(service) {
      const listener = server.listeners.find((each) => each.service === service)
      if (!listener) throw new Error(`no ${service} listener`)
      return listener.bound.port
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** Asks again until it holds; for what another server does in its own time. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string, patienceMs = 60_000): Promise<T> {
  const until = AbortSignal.timeout(patienceMs)
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (until.aborted) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
}

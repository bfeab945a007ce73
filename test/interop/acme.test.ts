/** A certificate from pebble, the test authority of Let's Encrypt: ordered at start, shown without a restart. */
import { spawn } from 'node:child_process'
import type { X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { connect } from 'node:tls'
import { callAdmin } from '@pennypost/admin/client'
import { systemClock, systemRandom } from '@pennypost/model'
import { ensureSelfSigned } from '@pennypost/transport'
import { expect, it, onTestFinished } from 'vitest'
import { eventually, startInstance } from '../e2e/instance.ts'
import { has, makeHome } from './programs.ts'

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map((server) => new Promise<void>((done) => server.listen(0, '127.0.0.1', done))))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}

/** pebble with DNS that answers 127.0.0.1 for every name. Ends with the test. */
async function startAuthority(home: string): Promise<{
  directory: string
  ca: string
  http: number
  dns: number
  /** Where nobody listens from now on, as far as its DNS says. */
  bury(name: string): Promise<void>
}> {
  const [api = 0, management = 0, http = 0, tls = 0, dns = 0, dnsManagement = 0] = await freePorts(6)
  const { cert, key } = await ensureSelfSigned({
    hostname: 'authority.test',
    directory: join(home, 'authority'),
    clock: systemClock,
    random: systemRandom,
  })
  const config = {
    listenAddress: `127.0.0.1:${api}`,
    managementListenAddress: `127.0.0.1:${management}`,
    certificate: cert,
    privateKey: key,
    httpPort: http,
    tlsPort: tls,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  }
  writeFileSync(join(home, 'pebble.json'), JSON.stringify({ pebble: config }))
  const env = { PATH: process.env.PATH, HOME: home, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '20' }
  const names = ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-dns01', `127.0.0.1:${dns}`]
  const others = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-management', `127.0.0.1:${dnsManagement}`]
  for (const [program, args] of [
    ['pebble-challtestsrv', [...names, ...others]],
    ['pebble', ['-config', join(home, 'pebble.json'), '-dnsserver', `127.0.0.1:${dns}`]],
  ] as const) {
    const child = spawn(program, args, { env, cwd: home, stdio: 'ignore' })
    onTestFinished(() => void child.kill('SIGKILL'))
  }
  const bury = async (name: string): Promise<void> => {
    const body = JSON.stringify({ host: `${name}.`, addresses: ['127.0.0.2'] })
    await eventually(
      () => fetch(`http://127.0.0.1:${dnsManagement}/add-a`, { method: 'POST', body }).catch(() => undefined),
      'the DNS of pebble',
    )
  }
  return { directory: `https://127.0.0.1:${api}/dir`, ca: cert, http, dns, bury }
}

/** The certificate that the server shows to a client that asks for this name. */
function shown(port: number, servername: string): Promise<X509Certificate | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate())
      socket.destroy()
    })
    socket.on('error', () => resolve(undefined))
  })
}

const hasAuthority = has('pebble') && has('pebble-challtestsrv')

/**
 * What a server of one.test shows once pebble has issued it, and what its status says is wrong. `acme`: a line of
 * `[tls.acme]`; `rest`: other tables; `dead`: a name at which nobody answers.
 */
async function order({ acme = '', rest = '', dead = '' }): Promise<{ certificate: X509Certificate; problems: string }> {
  using home = makeHome()
  const authority = await startAuthority(home.path)
  if (dead !== '') await authority.bury(dead)
  const toml = `[dns]
servers = ["127.0.0.1:${authority.dns}"]
[tls.acme]
accept_terms = true
authority = "${authority.directory}"
authority_ca = "${authority.ca}"
address = "127.0.0.1"
port = ${authority.http}
${acme}
${rest}`
  const directory = join(home.path, 'data')
  mkdirSync(directory)
  await eventually(
    () =>
      fetch(authority.directory).catch((error) => (/self|certificate/i.test(String(error.cause)) ? error : undefined)),
    'pebble',
  )
  await using at = await startInstance({ domain: 'one.test', accounts: ['alice'], toml, directory })
  const certificate = await eventually(
    async () => {
      const found = await shown(at.port('imaps'), 'mail.one.test')
      if (found && found.issuer !== found.subject) return found
      await setTimeout(250)
      return undefined
    },
    'a certificate of the authority',
    60_000,
  )
  expect(certificate.issuer).toContain('Pebble')
  const { problems } = (await callAdmin(join(directory, 'data', 'admin.sock'), 'status', {}, 'test')) as {
    problems: object[]
  }
  return { certificate, problems: JSON.stringify(problems) }
}

const namesOf = ({ subjectAltName = '' }: X509Certificate): string[] =>
  [...subjectAltName.matchAll(/DNS:([^,]+)/g)].map(([, name]) => name as string).sort()

// The authority makes its own keys first: on a busy machine that alone takes many seconds.
const patience = 90_000

it.skipIf(!hasAuthority)(
  'a certificate is ordered from pebble and shown, without a restart (needs pebble)',
  async () => {
    const names = ['mail.one.test', 'one.test']
    const { certificate } = await order({ acme: `names = ${JSON.stringify(names)}` })
    expect(namesOf(certificate)).toEqual(names)
  },
  patience,
)

it.skipIf(!hasAuthority)(
  'one name that pebble could not reach kept all others from their certificate (needs pebble)',
  async () => {
    const acme = `names = ["dead.one.test", "mail.one.test", "one.test"]`
    const { certificate, problems } = await order({ acme, dead: 'dead.one.test' })
    expect(namesOf(certificate)).toEqual(['mail.one.test', 'one.test'])
    expect(problems).toMatch(/not convinced of dead\.one\.test \(.*refused/)
    expect(problems).not.toMatch(/convinced of mail/)
  },
  patience,
)

it.skipIf(!hasAuthority)(
  'the names under which strangers ask about a domain are in it, once the DNS leads them here (needs pebble)',
  async () => {
    const https = '[[listener]]\nservice = "https"\naddress = "127.0.0.1"\nport = 0'
    const { certificate } = await order({ rest: https })
    const labels = ['autoconfig', 'autodiscover', 'mta-sts']
    expect(namesOf(certificate)).toEqual([...labels.map((label) => `${label}.one.test`), 'mail.one.test'].sort())
  },
  patience,
)

/** A person types address and password: what the server tells over HTTPS has to be enough to read and to send. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { expect, test } from 'vitest'
import { type Instance, startInstance } from './instance.ts'

/** Ports that nobody has just now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map(async (server) => void (await once(server.close(), 'close'))))
  return ports
}

const tls = { rejectUnauthorized: false }

async function fetchFrom(at: Instance, host: string, path: string, body?: string): Promise<string> {
  const method = body === undefined ? 'GET' : 'POST'
  const sent = request({ ...tls, host: '127.0.0.1', port: at.port('https'), path, method, headers: { host } })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  let text = ''
  for await (const piece of response) text += String(piece)
  return text
}

interface Told {
  kind: string
  port: number
  isImplicit: boolean
  user: string
}

/** What Thunderbird and what Outlook make of the answers. */
async function toldBy(at: Instance, address: string): Promise<Told[]> {
  const [localPart, domain] = address.split('@') as [string, string]
  const text = (section: string, name: string) => new RegExp(`<${name}>(.*)</${name}>`).exec(section)?.[1] ?? ''
  const mozilla = await fetchFrom(at, `autoconfig.${domain}`, `/mail/config-v1.1.xml?emailaddress=${address}`)
  const question = `<Autodiscover><Request><EMailAddress>${address}</EMailAddress></Request></Autodiscover>`
  const outlook = await fetchFrom(at, `autodiscover.${domain}`, '/autodiscover/autodiscover.xml', question)
  const typed = (user: string) => user.replace('%EMAILADDRESS%', address).replace('%EMAILLOCALPART%', localPart)
  return [
    ...[...mozilla.matchAll(/<(?:in|out)\w+Server type="(\w+)">(.*?)Server>/gs)].map(([, kind = '', section = '']) => ({
      kind,
      port: Number(text(section, 'port')),
      isImplicit: text(section, 'socketType') === 'SSL',
      user: typed(text(section, 'username')),
    })),
    ...[...outlook.matchAll(/<Protocol>(.*?)<\/Protocol>/gs)].map(([, section = '']) => ({
      kind: text(section, 'Type').toLowerCase(),
      port: Number(text(section, 'Port')),
      isImplicit: text(section, 'Encryption') === 'SSL',
      user: text(section, 'LoginName'),
    })),
  ]
}

async function use({ kind, port, isImplicit, user }: Told): Promise<string> {
  const common = { host: '127.0.0.1', port, secure: isImplicit, tls, auth: { user, pass: 'secret' } }
  if (kind === 'imap') {
    const client = new ImapFlow({ ...common, doSTARTTLS: !isImplicit, logger: false })
    await client.connect()
    await client.logout()
  } else {
    const transport = createTransport({ ...common, requireTLS: !isImplicit })
    await transport.verify()
    transport.close()
  }
  return `${kind} ${isImplicit ? 'TLS' : 'STARTTLS'}`
}

test('what is told by both ways serves to log in everywhere, by an alias domain too', async () => {
  const services = ['https', 'imaps', 'imap', 'submissions', 'submission']
  const ports = await freePorts(services.length)
  const toml = services.map(
    (service, index) => `[[listener]]\nservice = "${service}"\naddress = "127.0.0.1"\nport = ${ports[index]}`,
  )
  await using at = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: toml.join('\n') })
  await at.server.store.directory.addDomain({ name: 'two.test', kind: 'alias', target: 'one.test', catchAll: '' })
  for (const address of ['alice@one.test', 'alice@two.test']) {
    const used: string[] = []
    for (const told of await toldBy(at, address)) used.push(await use(told))
    expect(used, address).toEqual([
      ...['imap TLS', 'imap STARTTLS', 'smtp TLS', 'smtp STARTTLS'],
      ...['imap TLS', 'smtp TLS'],
    ])
  }
})

test('nothing that is told depends on whether there is such an account', async () => {
  const [https = 0, imaps = 0, submissions = 0] = await freePorts(3)
  const toml = Object.entries({ https, imaps, submissions }).map(
    ([service, port]) => `[[listener]]\nservice = "${service}"\naddress = "127.0.0.1"\nport = ${port}`,
  )
  await using at = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: toml.join('\n') })
  const [known, unknown] = await Promise.all(['alice', 'nobody'].map((name) => toldBy(at, `${name}@one.test`)))
  expect(known?.length).toBe(4)
  expect(unknown?.map((told) => ({ ...told, user: told.user.replace('nobody', 'alice') }))).toEqual(known)
})

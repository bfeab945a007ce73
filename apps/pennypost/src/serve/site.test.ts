import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request as plainRequest } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { createConnectionLimiter, createTlsMaterial, ensureSelfSigned, type Listener } from '@pennypost/transport'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createPages } from './http-pages.ts'
import { openSite } from './site.ts'
import type { SiteOptions } from './site-pages.ts'

const directory = mkdtempSync(join(tmpdir(), 'pennypost-site-'))
const policy = 'version: STSv1\r\nmode: testing\r\nmx: mail.one.test\r\nmax_age: 604800\r\n'
const stsPath = '/.well-known/mta-sts.txt'
const autoconfigPath = '/mail/config-v1.1.xml'
const wellKnownPath = '/.well-known/autoconfig/mail/config-v1.1.xml'
const autodiscoverPath = '/autodiscover/autodiscover.xml'
let site: Listener
let options: SiteOptions

beforeAll(async () => {
  const time = { clock: systemClock, random: systemRandom }
  const store = createMemoryStore(time)
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  await store.directory.addDomain({ name: 'alias.test', kind: 'alias', target: 'one.test', catchAll: '' })
  await store.directory.addDomain({ name: 'far.test', kind: 'relay', target: 'mail.far.test', catchAll: '' })
  options = {
    directory: store.directory,
    policy,
    clock: systemClock,
    clientSettings: {
      hostname: 'mail.one.test',
      services: [
        { service: 'imaps', port: 993 },
        { service: 'submissions', port: 465 },
      ],
    },
  }
  const made = await ensureSelfSigned({ hostname: 'mail.one.test', directory, ...time })
  const contexts = await createTlsMaterial({ certificates: [made], clock: systemClock, log: silentLog, watchMs: 0 })
  const limiter = createConnectionLimiter({ connections: 10, connectionsPerAddress: 10 })
  site = await openSite(
    { endpoint: { address: '127.0.0.1', port: 0 }, contexts, limiter },
    { ...options, deadline: systemDeadline, log: silentLog },
  )
})

afterAll(async () => {
  await site.close({ drainMs: 1000 })
  rmSync(directory, { recursive: true })
})

interface Answer {
  status: number
  type: string
  text: string
}

async function ask(host: string, path: string, method = 'GET', body = ''): Promise<Answer> {
  const { port, address } = site.bound as AddressInfo
  const tls = { servername: 'mail.one.test', rejectUnauthorized: false }
  const sent = request({ method, path, port, host: address, ...tls, headers: { host } })
  return answerTo(sent, body)
}

async function answerTo(sent: ReturnType<typeof request>, body: string): Promise<Answer> {
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }
}

const question = (address: string) =>
  `<Autodiscover><Request><EMailAddress>${address}</EMailAddress></Request></Autodiscover>`

test('the policy of a domain whose mail comes here', async () => {
  const answer = await ask('mta-sts.One.test', stsPath)
  expect(answer).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: policy })
  expect(await ask('mta-sts.one.test', stsPath, 'HEAD')).toMatchObject({ status: 200, text: '' })
})

test.each([
  ['at the name for it', 'autoconfig.One.test', `${autoconfigPath}?emailaddress=alice%40one.test`],
  ['without an address', 'autoconfig.one.test:443', autoconfigPath],
  ['with something that is no address', 'autoconfig.one.test', `${autoconfigPath}?emailaddress=%25EMAILADDRESS%25`],
  ['at the well-known place of the domain', 'one.test', wellKnownPath],
  ['at the domain of the MX', 'autoconfig.hoster.test', `${autoconfigPath}?emailaddress=alice@one.test`],
])('the settings of mail programs, asked for %s', async (_, host, path) => {
  const answer = await ask(host, path)
  expect(answer).toMatchObject({ status: 200, type: 'text/xml; charset=utf-8' })
  expect(answer.text).toContain('<domain>one.test</domain>')
  expect(answer.text).not.toContain('alice')
})

test.each([autodiscoverPath, '/Autodiscover/Autodiscover.xml', '/AutoDiscover/AutoDiscover.xml'])(
  'the settings of Outlook, at %s',
  async (path) => {
    const { text, ...rest } = await ask('autodiscover.one.test', path, 'POST', question('Alice@one.test'))
    expect(rest).toEqual({ status: 200, type: 'text/xml; charset=utf-8' })
    expect(text).toContain('<LoginName>Alice@one.test</LoginName>')
    expect(text).toContain('<Port>993</Port>')
  },
)

test('a profile for Apple, at a link that a person opens', async () => {
  const { text, ...rest } = await ask('autoconfig.one.test', '/email.mobileconfig?email=alice%40one.test')
  expect(rest).toEqual({ status: 200, type: 'application/x-apple-aspen-config; charset=utf-8' })
  expect(text).toContain('<key>IncomingMailServerUsername</key><string>alice@one.test</string>')
})

test('people of an alias domain are told the login name that is theirs', async () => {
  const mozilla = await ask('autoconfig.alias.test', autoconfigPath)
  expect(mozilla.text).toContain('<username>%EMAILLOCALPART%@one.test</username>')
  const outlook = await ask('alias.test', autodiscoverPath, 'POST', question('bob@alias.test'))
  expect(outlook.text).toContain('<LoginName>bob@one.test</LoginName>')
})

test.each([
  ['another domain', 'mta-sts.two.test', stsPath, 'GET', 404],
  ['another host of it', 'one.test', stsPath, 'GET', 404],
  ['another page', 'mta-sts.one.test', '/metrics', 'GET', 404],
  ['a Host field of nobody', '..', stsPath, 'GET', 404],
  ['another method', 'mta-sts.one.test', stsPath, 'POST', 405],
  ['settings of another domain', 'autoconfig.two.test', autoconfigPath, 'GET', 404],
  ['an address elsewhere', 'autoconfig.one.test', `${autoconfigPath}?emailaddress=a@two.test`, 'GET', 404],
  ['a domain without accounts', 'autoconfig.far.test', autoconfigPath, 'GET', 404],
  ['a profile of another domain', 'autoconfig.one.test', '/email.mobileconfig?email=a@two.test', 'GET', 404],
  ['a profile of nobody', 'autoconfig.one.test', '/email.mobileconfig', 'GET', 404],
  ['a profile with a control in it', 'autoconfig.one.test', '/email.mobileconfig?email=a%00@one.test', 'GET', 404],
  ['settings by POST', 'autoconfig.one.test', autoconfigPath, 'POST', 405],
  ['Autodiscover by GET', 'autodiscover.one.test', autodiscoverPath, 'GET', 405],
  ['settings at nobody', '[::1]:443', autoconfigPath, 'GET', 404],
])('nothing for %s', async (_, host, path, method, status) => {
  expect(await ask(host, path, method)).toMatchObject({ status })
})

test.each([
  ['an address elsewhere', question('a@two.test'), 500],
  ['a domain without accounts', question('a@far.test'), 500],
  ['no address', '<x/>', 600],
])('Autodiscover says what is wrong with %s in its own way', async (_, body, code) => {
  const answer = await ask('autodiscover.one.test', autodiscoverPath, 'POST', body)
  expect(answer).toMatchObject({ status: 200, text: expect.stringContaining(`<ErrorCode>${code}</ErrorCode>`) })
})

test('who sends too much hears so, however much it is', async () => {
  const answer = await ask('autodiscover.one.test', autodiscoverPath, 'POST', 'a'.repeat(1_000_000))
  expect(answer).toMatchObject({ status: 413 })
})

test('a proxy gets the same pages from the http listener, which keeps its own', async () => {
  const metrics = { text: async () => ({ contentType: 'text/plain', body: 'counts' }) }
  const pages = createPages({ site: options, log: silentLog, ailments: () => [], metrics } as never)
  const server = createServer(pages).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const askHere = (path: string, host: string, method = 'GET', body = '') =>
    answerTo(plainRequest({ host: '127.0.0.1', port, path, method, headers: { host } }), body)
  expect(await askHere(stsPath, 'mta-sts.one.test')).toMatchObject({ status: 200, text: policy })
  expect(await askHere(autoconfigPath, 'autoconfig.one.test')).toMatchObject({ status: 200 })
  const outlook = await askHere(autodiscoverPath, 'one.test', 'POST', question('a@one.test'))
  expect(outlook.text).toContain('<LoginName>a@one.test</LoginName>')
  expect(await askHere('/metrics?x', 'one.test')).toMatchObject({ status: 200, text: 'counts' })
  expect(await askHere('/nothing', 'one.test')).toMatchObject({ status: 404 })
})

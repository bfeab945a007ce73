import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog, systemClock, systemDeadline, systemRandom } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { createConnectionLimiter, createTlsMaterial, ensureSelfSigned, type Listener } from '@pennypost/transport'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSite, stsPath } from './site.ts'

const directory = mkdtempSync(join(tmpdir(), 'pennypost-site-'))
const policy = 'version: STSv1\r\nmode: testing\r\nmx: mail.one.test\r\nmax_age: 604800\r\n'
let site: Listener

beforeAll(async () => {
  const time = { clock: systemClock, random: systemRandom }
  const store = createMemoryStore(time)
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const made = await ensureSelfSigned({ hostname: 'mail.one.test', directory, ...time })
  const contexts = await createTlsMaterial({ certificates: [made], clock: systemClock, log: silentLog, watchMs: 0 })
  const limiter = createConnectionLimiter({ connections: 10, connectionsPerAddress: 10 })
  site = await openSite(
    { endpoint: { address: '127.0.0.1', port: 0 }, contexts, limiter },
    { directory: store.directory, policy, deadline: systemDeadline, log: silentLog },
  )
})

afterAll(async () => {
  await site.close({ drainMs: 1000 })
  rmSync(directory, { recursive: true })
})

async function ask(
  host: string,
  path: string,
  method = 'GET',
): Promise<{ status: number; type: string; text: string }> {
  const { port, address } = site.bound as AddressInfo
  const sent = request({
    method,
    path,
    port,
    host: address,
    servername: 'mail.one.test',
    rejectUnauthorized: false,
    headers: { host },
  })
  sent.end()
  const [response] = (await once(sent, 'response')) as [import('node:http').IncomingMessage]
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode ?? 0, type: response.headers['content-type'] ?? '', text }
}

test('the policy of a domain whose mail comes here', async () => {
  const answer = await ask('mta-sts.One.test', stsPath)
  expect(answer).toEqual({ status: 200, type: 'text/plain; charset=utf-8', text: policy })
  expect(await ask('mta-sts.one.test', stsPath, 'HEAD')).toMatchObject({ status: 200, text: '' })
})

test.each([
  ['another domain', 'mta-sts.two.test', stsPath, 'GET', 404],
  ['another host of it', 'one.test', stsPath, 'GET', 404],
  ['another page', 'mta-sts.one.test', '/metrics', 'GET', 404],
  ['a Host field of nobody', '..', stsPath, 'GET', 404],
  ['another method', 'mta-sts.one.test', stsPath, 'POST', 405],
])('nothing for %s', async (_, host, path, method, status) => {
  expect(await ask(host, path, method)).toMatchObject({ status })
})

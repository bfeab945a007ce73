/** Over real sockets on loopback: the certificate, redirects, and bounds. */
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { createStaticResolver, zone } from '@pennypost/dns'
import { systemDeadline } from '@pennypost/model'
import { createDialer } from '@pennypost/transport'
import { expect, test } from 'vitest'
import { mail, policy, root } from '../../test/certificates.ts'
import { createHttps } from './https.ts'

async function site(answer: RequestListener, tls: { key: string; cert: string } = policy, deadline = systemDeadline) {
  const server = createServer(tls, answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const https = createHttps({
    resolver: createStaticResolver([zone('two.test', [['mta-sts', 'A', '127.0.0.1']])]),
    dialer: createDialer({ deadline: systemDeadline }),
    deadline,
    ca: [root],
    timeoutMs: 5000,
    octetsMax: 1000,
  })
  const ask = (more: { method?: 'POST'; body?: Buffer; host?: string; signal?: AbortSignal } = {}) =>
    https({ method: 'GET', host: 'mta-sts.two.test', port, path: '/.well-known/mta-sts.txt', ...more })
  return {
    ask,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test('asks for the page by the name of the site', async () => {
  const seen: unknown[] = []
  await using web = await site((request, response) => {
    seen.push(request.method, request.url, request.headers.host?.replace(/:\d+$/, ''))
    response.setHeader('content-type', 'text/plain').end('version: STSv1')
  })
  expect(await web.ask()).toEqual({ status: 200, contentType: 'text/plain', body: Buffer.from('version: STSv1') })
  expect(seen).toEqual(['GET', '/.well-known/mta-sts.txt', 'mta-sts.two.test'])
})

test('a body is posted', async () => {
  await using web = await site(async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    response.statusCode = 201
    response.end(Buffer.concat(pieces).toString('hex'))
  })
  const answer = await web.ask({ method: 'POST', body: Buffer.from([1, 2, 255]) })
  expect([answer.status, answer.body.toString()]).toEqual([201, '0102ff'])
})

test('a redirect is not followed', async () => {
  await using web = await site((_, response) =>
    response.writeHead(302, { location: 'https://mta-sts.two.test/' }).end(),
  )
  expect(await web.ask()).toMatchObject({ status: 302 })
})

test('a certificate for another name ends it before a word is said', async () => {
  let asked = 0
  await using web = await site(() => asked++, mail)
  await expect(web.ask()).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  expect(asked).toBe(0)
})

test('an answer that is too long, or breaks off', async () => {
  await using long = await site((_, response) => response.end('x'.repeat(2000)))
  await expect(long.ask()).rejects.toThrow('longer than 1000 octets')
  await using broken = await site((_, response) => {
    response.writeHead(200, { 'content-length': '500' }).write('half')
    setImmediate(() => response.socket?.destroy())
  })
  await expect(broken.ask()).rejects.toThrow()
})

test('a site that answers by changing the protocol is not waited for', async () => {
  await using web = await site((request) =>
    request.socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  )
  await expect(web.ask()).rejects.toThrow('changes the protocol')
})

test('a site that goes on with interim answers is not listened to', async () => {
  await using flood = await site((_, response) => {
    for (let count = 0; count < 100; count++) response.writeProcessing()
  })
  await expect(flood.ask()).rejects.toThrow('more than 20 interim answers')
})

test('a site that says nothing', async () => {
  const patience = new AbortController()
  const deadline = { ...systemDeadline, signal: () => patience.signal }
  await using silent = await site(() => patience.abort(), policy, deadline)
  await expect(silent.ask()).rejects.toThrow('no answer within 5000 ms')
})

test('a question that is given up is not said to have had no answer', async () => {
  const asking = new AbortController()
  await using silent = await site(() => asking.abort())
  await expect(silent.ask({ signal: asking.signal })).rejects.toThrow('aborted')
})

test('a site without address', async () => {
  await using web = await site(() => {})
  await expect(web.ask({ host: 'mta-sts.nowhere.test' })).rejects.toThrow('has no address')
})

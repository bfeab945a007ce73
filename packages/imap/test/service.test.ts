import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { silentLog, systemRandom } from '@pennypost/model'
import { createMechanisms } from '@pennypost/sasl'
import {
  createConnectionLimiter,
  createListener,
  createTlsMaterial,
  ensureSelfSigned,
  type Listener,
} from '@pennypost/transport'
import { ImapFlow } from 'imapflow'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** The service on real sockets: TLS, foreign client, drain, clients that do not read. */
describe('service', () => {
  let server: TestServer
  let directory: string
  const listeners: Listener[] = []

  beforeEach(async () => {
    server = await TestServer.start()
    directory = mkdtempSync(join(tmpdir(), 'pennypost-imap-'))
  })

  afterEach(async () => {
    for (const listener of listeners.splice(0)) await listener.close({ drainMs: 0 })
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function listen(tls: 'starttls' | 'implicit' | 'none', connectionsPerAddress = 0): Promise<Listener> {
    const { time: clock, service } = server
    const files = await ensureSelfSigned({ hostname: 'mail.one.test', directory, clock, random: systemRandom })
    const listener = await createListener({
      service: 'imap',
      endpoint: { address: '127.0.0.1', port: 0 },
      tls,
      contexts: await createTlsMaterial({ certificates: [files], clock, log: silentLog, watchMs: 0 }),
      limiter: createConnectionLimiter({ connections: 0, connectionsPerAddress }),
      deadline: { after: clock.after, signal: () => new AbortController().signal },
      log: silentLog,
      onConnection: (connection) => service.accept(connection),
      refusal: (reason) => service.refusal(reason),
    })
    listeners.push(listener)
    return listener
  }

  test('UNAUTHENTICATE left connections that counted against no address and no account', async () => {
    const listener = await listen('none', 1)
    const dial = (): DialogueClient => new DialogueClient(createConnection(listener.bound.port, '127.0.0.1'))
    const one = dial()
    one.send(Buffer.from('a LOGIN alice secret\r\nb NOOP\r\n'))
    for (let said = await one.response(); !said?.startsWith('b '); said = await one.response());
    const two = dial()
    expect(await two.response()).toMatch(/^\* OK /)
    one.send(Buffer.from('c UNAUTHENTICATE\r\n'))
    expect(await one.response()).toMatch(/^c OK /)
    two.stream.destroy()
    while (listener.open > 1) await new Promise(setImmediate)
    expect(await dial().response()).toMatch(/^\* BYE /)
  })

  test('a login that is being checked when its time is over still counts; a failed one is the last', async () => {
    const checks = [Promise.withResolvers<boolean>(), Promise.withResolvers<boolean>()]
    const waiting = [...checks]
    const account = await server.account()
    server.options.authenticator = {
      mechanisms: [],
      scramSalt: () => ({ salt: Buffer.alloc(0), iterations: 1 }),
      async authenticate() {
        const right = await waiting.shift()?.promise
        return right ? { ok: true, account, actor: account } : { ok: false, reason: 'invalid' }
      },
    }
    const clients = checks.map(() => server.connect())
    for (const client of clients) {
      await client.response()
      client.send(Buffer.from('x LOGIN alice secret\r\n'))
    }
    await server.time.advance(3 * 60_000)
    checks[0]?.resolve(true)
    checks[1]?.resolve(false)
    expect(await clients[0]?.response()).toMatch(/^x OK/)
    expect(await clients[0]?.say('NOOP')).toEqual(['x OK NOOP completed'])
    expect(await clients[1]?.response()).toMatch(/^x NO/)
    expect(await clients[1]?.response()).toBe('* BYE There was no login for too long')
    expect(await clients[1]?.response()).toBeUndefined()
  })

  test('SCRAM without PLUS, where that is disabled, is for clients that could bind the channel too', async () => {
    const authenticator = {
      mechanisms: createMechanisms({ random: systemRandom, scram: true, tokens: undefined }),
      scramSalt: () => ({ salt: Buffer.alloc(16), iterations: 100_000 }),
      authenticate: async () => ({ ok: false, reason: 'invalid' }) as const,
    }
    Object.assign(server.options, { authenticator, disable: ['AUTH=SCRAM-SHA-256-PLUS'] })
    const { bound } = await listen('implicit')
    const tls = connectTls({ host: bound.address, port: bound.port, rejectUnauthorized: false })
    await once(tls, 'secureConnect')
    const client = new DialogueClient(tls)
    expect(await client.response()).toContain(' AUTH=SCRAM-SHA-256 ')
    const first = Buffer.from('y,,n=alice,r=nonce').toString('base64')
    client.send(Buffer.from(`x AUTHENTICATE SCRAM-SHA-256 ${first}\r\n`))
    expect(await client.response()).toMatch(/^\+ ./)
    client.send(Buffer.from('*\r\n'))
    expect(await client.response()).toMatch(/^x BAD/)
    tls.end()
  })

  test('STARTTLS: what was pipelined in clear is forgotten, the password goes over TLS', async () => {
    Object.assign(server.options, { requireTlsForAuth: true, offersTls: true })
    const { bound } = await listen('starttls')
    const socket = createConnection(bound.port, bound.address)
    const clear = new DialogueClient(socket)
    expect(await clear.response()).toContain('STARTTLS LOGINDISABLED')
    clear.send(Buffer.from('a STARTTLS\r\nb LOGIN alice secret\r\n'))
    expect(await clear.response()).toBe('a OK Begin the TLS negotiation now')
    socket.removeAllListeners('data')
    const tls = connectTls({ socket, rejectUnauthorized: false })
    await once(tls, 'secureConnect')
    const client = new DialogueClient(tls)
    expect((await client.say('CAPABILITY'))[0]).toMatch(/^\* CAPABILITY IMAP4rev1 AUTH=PLAIN/)
    expect((await client.say('STARTTLS'))[0]).toMatch(/^x BAD/)
    expect((await client.say('LOGIN alice secret'))[0]).toMatch(/^x OK/)
    client.end()
  })

  test('imapflow reads, flags, moves, appends and is told of new mail', async () => {
    await server.deliver('INBOX', sampleMessage('simple'))
    await server.deliver('INBOX', sampleMessage('multipart'))
    const { bound } = await listen('implicit')
    const flow = new ImapFlow({
      host: bound.address,
      port: bound.port,
      secure: true,
      auth: { user: 'alice@one.test', pass: 'secret' },
      logger: false,
      tls: { rejectUnauthorized: false },
    })
    await flow.connect()
    const lock = await flow.getMailboxLock('INBOX')
    const seen: string[] = []
    for await (const message of flow.fetch('1:*', { envelope: true, bodyStructure: true, flags: true, source: true })) {
      seen.push(`${message.uid} ${message.envelope?.subject} ${message.bodyStructure?.type} ${message.source?.length}`)
    }
    expect(seen).toEqual(['1 Hello text/plain 167', `2 Parts multipart/mixed ${sampleMessage('multipart').length}`])
    const { content = [] } = await flow.download('2', '2', { uid: true })
    const chunks: Buffer[] = []
    for await (const chunk of content) chunks.push(chunk as Buffer)
    expect(Buffer.concat(chunks)).toEqual(Buffer.from([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
    await flow.messageFlagsAdd('1', ['\\Flagged'])
    expect(await flow.search({ flagged: true })).toEqual([1])
    expect(await flow.messageMove('1', 'Archive')).toMatchObject({ destination: 'Archive' })
    expect(await flow.append('INBOX', sampleMessage('utf8'), ['\\Seen'])).toMatchObject({ uid: 3 })
    const told = once(flow, 'exists')
    const idling = flow.idle()
    await server.deliver('INBOX', sampleMessage('simple'))
    await told
    expect(await flow.status('INBOX', { messages: true, uidNext: true })).toMatchObject({ messages: 3, uidNext: 5 })
    await idling
    lock.release()
    await flow.logout()
  })

  test('draining says BYE to who idles and lets a command that runs finish', async () => {
    const listener = await listen('none')
    const { bound } = listener
    const idler = new DialogueClient(createConnection(bound.port, bound.address))
    await idler.response()
    await idler.say('LOGIN alice secret')
    idler.send(Buffer.from('y IDLE\r\n'))
    expect(await idler.response()).toBe('+ idling')
    const closed = listener.close({ drainMs: 60_000 })
    expect(await idler.response()).toBe('* BYE The server goes down now')
    expect(await idler.response()).toMatch(/^y OK/)
    expect(await idler.response()).toBeUndefined()
    idler.end()
    expect(await closed).toBe(0)
  })

  test('a client that does not read its answer holds little memory, and is dropped after a while', async () => {
    for (let i = 0; i < 40; i++) await server.deliver('INBOX', sampleMessage('large'))
    const { bound } = await listen('none')
    const socket = createConnection({ host: bound.address, port: bound.port, highWaterMark: 1024 } as never)
    const client = new DialogueClient(socket)
    await client.response()
    await client.say('LOGIN alice secret')
    await client.say('SELECT INBOX')
    socket.removeAllListeners('data')
    socket.pause()
    for (let i = 0; i < 20; i++) socket.write(`f${i} FETCH 1:* BODY.PEEK[]\r\n`)
    await until(() => server.time.nextTimerAt() !== undefined && server.service.sessions === 1)
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    await server.time.advance(6 * 60_000)
    await until(() => server.service.sessions === 0)
    expect(server.service.openMailboxes).toBe(0)
    socket.destroy()
  })

  test('a session that ends leaves nothing behind', async () => {
    const { bound } = await listen('none')
    for (const last of ['SELECT INBOX', 'NOOP', 'APPEND INBOX {9000+}']) {
      const socket = createConnection(bound.port, bound.address)
      const client = new DialogueClient(socket)
      await client.response()
      await client.say('LOGIN alice secret')
      socket.write(`x ${last}\r\n`)
      socket.destroy()
    }
    await until(() => server.service.sessions === 0)
    expect(server.service.openMailboxes).toBe(0)
  })
})

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 2))
  expect(condition()).toBe(true)
}

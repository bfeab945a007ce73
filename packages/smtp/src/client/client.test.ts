import { duplexPair } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { everything, greeted, open, request, settled, short } from '../../test/dialogue.ts'
import { noCapabilities } from '../capabilities.ts'
import { scriptedCertificate } from '../testing/scripted-server.ts'
import { createSmtpClient } from './client.ts'

describe('greeting and EHLO', () => {
  test('capabilities come from EHLO', async () => {
    const { client, server } = await greeted()
    expect(client.capabilities).toMatchObject({ hostname: 'scripted.test', size: 100000 })
    expect(client.greeting).toMatchObject({ code: 220, lines: ['scripted.test ESMTP'] })
    expect(server.sessions[0]!.commands).toEqual(['EHLO mail.one.test'])
  })

  test('HELO where EHLO is refused; then nothing is offered', async () => {
    const helo = { EHLO: '502 5.5.1 no', HELO: '250-scripted.test\r\n250 PIPELINING' }
    const { client, server } = await greeted({ script: helo })
    expect(client.capabilities.keywords).toEqual(noCapabilities.keywords)
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions[0]!.mail).toBe('FROM:<alice@one.test>')
    expect(server.sessions[0]!.commands.slice(0, 2)).toEqual(['EHLO mail.one.test', 'HELO mail.one.test'])
  })

  test.each([
    ['554 5.7.1 go away', { kind: 'reply', phase: 'greeting', status: '5.7.1' }],
    ['554 go away', { kind: 'reply', status: '5.0.0' }],
    ['421 4.7.0 busy', { kind: 'reply', phase: 'greeting', status: '4.7.0' }],
    ['250 hello', { kind: 'protocol', phase: 'greeting', status: '4.5.0' }],
    ['HTTP/1.1 400 Bad Request', { kind: 'protocol', phase: 'greeting' }],
  ])('greeting %j', async (greeting, failure) => {
    const { client } = open({ script: { GREETING: greeting } })
    expect(await client.hello()).toMatchObject({ ok: false, failure })
  })

  test('EHLO and HELO refused, EHLO deferred, EHLO dropped', async () => {
    const refusing = open({ script: { EHLO: '550 5.7.1 no', HELO: '550 5.7.1 no' } })
    expect(await refusing.client.hello()).toMatchObject({
      ok: false,
      failure: { kind: 'reply', phase: 'hello', status: '5.7.1' },
    })
    const deferring = open({ script: { EHLO: '451 4.3.0 no' } })
    expect(await deferring.client.hello()).toMatchObject({ ok: false, failure: { status: '4.3.0' } })
    const dropping = open({ script: { EHLO: { drop: true } } })
    expect(await dropping.client.hello()).toMatchObject({ ok: false, failure: { kind: 'network', phase: 'hello' } })
  })

  test('no greeting: the deadline of the greeting', async () => {
    const { client, deadline } = open({ script: { GREETING: {} } }, { timeouts: { greetingMs: 1234 } })
    const hello = client.hello()
    expect(deadline.delaysMs).toEqual([1234])
    deadline.pass()
    expect(await hello).toMatchObject({ ok: false, failure: { kind: 'timeout', phase: 'greeting', status: '4.4.1' } })
  })

  test('a host name that is no word is refused before it can be a command', () => {
    expect(() => open({}, { hostname: 'a\r\nMAIL FROM:<>' })).toThrow(TypeError)
  })
})

describe('STARTTLS', () => {
  const tls = { servername: 'scripted.test', verify: true, ca: [scriptedCertificate] }
  const capabilities = [...everything, 'STARTTLS', 'AUTH PLAIN LOGIN']

  test('secures the dialogue, forgets what was said before, and goes on', async () => {
    const ehlo = (_: string, nth: number) => (nth === 0 ? '250-scripted.test\r\n250 STARTTLS' : undefined)
    const { client, server, transcript } = await greeted({ capabilities, script: { EHLO: ehlo } })
    expect(await client.startTls(tls)).toMatchObject({ ok: true, tls: { protocol: 'TLSv1.3', verified: true } })
    expect(client.capabilities.keywords.has('STARTTLS')).toBe(false)
    expect(client.capabilities.keywords.has('PIPELINING')).toBe(true)
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions[0]).toMatchObject({ secure: true })
    await client.quit()
    expect(transcript()).toContain('C: STARTTLS\nS: 220 2.0.0 Go ahead\n*: TLSv1.3 ')
  })

  test('octets in clear behind the 220 are never taken for the peer’s word', async () => {
    const { client } = await greeted({
      capabilities,
      script: { STARTTLS: '220 go\r\n250-evil.test\r\n250 AUTH PLAIN' },
    })
    expect(await client.startTls(tls)).toMatchObject({
      ok: false,
      failure: { kind: 'protocol', phase: 'starttls', status: '4.7.0' },
    })
    expect(client.usable).toBe(false)
    expect(client.capabilities.hostname).toBe('scripted.test')
  })

  test('half a reply in clear behind the 220 counts as well', async () => {
    const { client } = await greeted({ capabilities, script: { STARTTLS: '220 go\r\n250 half'.slice(0, -1) } })
    expect(await client.startTls(tls)).toMatchObject({ ok: false, failure: { kind: 'protocol' } })
  })

  test('a refusal leaves the connection usable in clear', async () => {
    const { client } = await greeted({ capabilities, script: { STARTTLS: '454 4.7.0 not now' } })
    expect(await client.startTls(tls)).toMatchObject({ ok: false, failure: { kind: 'reply', status: '4.7.0' } })
    expect(short(await client.transact(request()))).toEqual(['delivered'])
  })

  test('not offered, or a certificate that is not trusted', async () => {
    const plain = await greeted()
    expect(await plain.client.startTls(tls)).toMatchObject({ ok: false, failure: { kind: 'unsupported' } })
    const { client } = await greeted({ capabilities })
    const untrusted = await client.startTls({ servername: 'scripted.test', verify: true })
    expect(untrusted).toMatchObject({
      ok: false,
      failure: { kind: 'tls', status: '4.7.5', code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(client.usable).toBe(false)
  })

  test('a handshake that failed was told with a thread and a line of the source of OpenSSL', async () => {
    const [stream, peer] = duplexPair()
    const { server, deadline } = open()
    const client = createSmtpClient(stream, {
      dialer: server.dialer,
      deadline,
      clock: { elapsed: () => 0 },
      hostname: 'a.test',
    })
    const answers = ['250-x.test\r\n250 STARTTLS\r\n', '220 go\r\n', '500 what\r\n']
    peer.on('data', () => setImmediate(() => peer.write(answers.shift() ?? '')))
    peer.write('220 x.test\r\n')
    await client.hello()
    expect(await client.startTls(tls)).toMatchObject({
      ok: false,
      failure: { kind: 'tls', text: 'wrong version number' },
    })
  })
})

describe('AUTH', () => {
  const credentials = { username: 'alice', password: 'pässword', allowClearText: true }

  test.each([
    ['AUTH PLAIN LOGIN', 'PLAIN', '\0alice\0pässword'],
    ['AUTH=LOGIN CRAM-MD5', 'LOGIN', 'alice pässword'],
  ])('%s', async (offer, mechanism, decoded) => {
    let seen = ''
    const AUTH = (argument: string): undefined => {
      seen = argument
    }
    const { client, transcript } = await greeted({ capabilities: [offer], script: { AUTH } })
    expect(await client.authenticate(credentials)).toEqual({ ok: true, mechanism })
    expect(seen).toBe(decoded)
    expect(transcript()).toContain('****')
    expect(transcript()).not.toContain(Buffer.from('pässword').toString('base64').slice(0, 6))
    expect(transcript()).not.toContain(Buffer.from(decoded).toString('base64').slice(0, 12))
  })

  test('an initial response that is too long waits for the 334', async () => {
    const { client, server } = await greeted({ capabilities: ['AUTH PLAIN'] })
    const password = 'x'.repeat(500)
    expect(await client.authenticate({ ...credentials, password })).toMatchObject({ ok: true })
    expect(server.sessions[0]!.commands.at(-1)).toBe('AUTH PLAIN')
  })

  test('never in clear unless told, never without a mechanism, and a refusal is a value', async () => {
    const { client, server } = await greeted({ capabilities: ['AUTH PLAIN'], script: { AUTH: '535 5.7.8 wrong' } })
    expect(await client.authenticate({ username: 'a', password: 'b' })).toMatchObject({
      ok: false,
      failure: { status: '5.7.11' },
    })
    expect(server.sessions[0]!.commands).toEqual(['EHLO mail.one.test'])
    expect(await client.authenticate(credentials)).toMatchObject({
      ok: false,
      failure: { kind: 'reply', status: '5.7.8' },
    })
    const other = await greeted({ capabilities: ['AUTH GSSAPI'] })
    expect(await other.client.authenticate(credentials)).toMatchObject({ ok: false, failure: { status: '5.7.4' } })
  })
})

describe('LMTP', () => {
  test('says LHLO and takes a reply for each accepted recipient, in order', async () => {
    const CONTENT = (argument: string) => (argument.includes('full') ? '452 4.2.2 full' : undefined)
    const RCPT = (argument: string) => (argument.includes('nobody') ? '550 5.1.1 no' : undefined)
    const { client, server } = await greeted({ protocol: 'lmtp', script: { CONTENT, RCPT } })
    const result = await client.transact(request({}, 'a@x', 'nobody@x', 'full@x', 'b@x'))
    expect(short(result)).toEqual(['delivered', 'failed 550 5.1.1', 'deferred 452 4.2.2', 'delivered'])
    expect(server.transactions[0]!.recipients).toEqual(['TO:<a@x>', 'TO:<b@x>'])
    expect(server.sessions[0]!.commands[0]).toBe('LHLO mail.one.test')
    expect(short(await client.transact(request()))).toEqual(['delivered'])
  })

  test('lost between two replies: what was said counts, the rest is uncertain', async () => {
    const CONTENT = (_: string, nth: number) => (nth === 1 ? { drop: true } : undefined)
    const { client } = await greeted({ protocol: 'lmtp', script: { CONTENT } })
    const result = await client.transact(request({}, 'a@x', 'b@x', 'c@x'))
    expect(short(result)).toEqual(['delivered', 'deferred network 4.4.2', 'deferred network 4.4.2'])
    expect(result.uncertain).toBe(true)
  })

  test('a 421 for one recipient was taken for a certain answer about those behind it', async () => {
    const CONTENT = (_: string, nth: number) => (nth === 0 ? '421 4.3.2 going down' : undefined)
    const { client, server } = await greeted({ protocol: 'lmtp', script: { CONTENT } })
    const result = await client.transact(request({}, 'a@x', 'b@x'))
    expect(short(result)).toEqual(['deferred 421 4.3.2', 'deferred 421 4.3.2'])
    expect(server.transactions[0]!.recipients).toEqual(['TO:<b@x>'])
    expect(result.uncertain).toBe(true)
    const last = await greeted({ protocol: 'lmtp', script: { CONTENT: '421 4.3.2 going down' } })
    expect((await last.client.transact(request())).uncertain).toBe(false)
  })

  test('LHLO refused is no reason for HELO; DATA accepted for nobody is a broken peer', async () => {
    const refusing = open({ protocol: 'lmtp', script: { LHLO: '500 5.5.2 no' } })
    expect(await refusing.client.hello()).toMatchObject({ ok: false, failure: { kind: 'reply', phase: 'hello' } })
    const { client } = await greeted({ protocol: 'lmtp', script: { RCPT: '550 5.1.1 no', DATA: '354 go' } })
    expect(short(await client.transact(request()))).toEqual(['failed 550 5.1.1'])
    expect(client.usable).toBe(false)
  })
})

describe('connection', () => {
  test.each([
    ['behind the reply to the content', { CONTENT: { reply: '250 2.0.0 Ok\r\n421 4.7.0 bye', drop: true } }, false],
    ['behind EHLO', { EHLO: { reply: '250 scripted.test\r\n421 4.3.2 bye', drop: true } }, true],
    ['amid a transaction', { RCPT: { reply: '421 4.3.2 bye', drop: true } }, true],
  ])('a peer that says 421 %s', async (_, script, isBroken) => {
    const { client } = await greeted({ script })
    if (client.usable) await client.transact(request())
    expect([client.usable, client.isBroken]).toEqual([false, isBroken])
  })

  test('QUIT, and QUIT to a peer that says nothing', async () => {
    const { client, server } = await greeted()
    await client.quit()
    expect(server.sessions[0]!.commands.at(-1)).toBe('QUIT')
    expect(client.usable).toBe(false)
    await client.quit()

    const silent = await greeted({ script: { QUIT: {} } })
    const quit = silent.client.quit()
    await settled()
    silent.deadline.pass()
    await quit
    expect(silent.deadline.delaysMs).toEqual([])
  })

  test('LIMITS of the peer are kept (RFC 9422)', async () => {
    const { client } = await greeted({ capabilities: ['PIPELINING', 'LIMITS RCPTMAX=2 MAILMAX=1'] })
    const result = await client.transact(request({}, 'a@x', 'b@x', 'c@x'))
    expect(short(result)).toEqual(['delivered', 'delivered', 'deferred unsupported 4.5.3 tooMany'])
    expect(client.usable).toBe(false)
  })

  test('a reply without end or beyond its limit ends the connection', async () => {
    const { client } = await greeted({ script: { MAIL: 'x'.repeat(5000) } })
    expect(short(await client.transact(request()))).toEqual(['deferred protocol 4.5.0'])
  })

  test('octets that make no reply buy no time', async () => {
    const [stream, peer] = duplexPair()
    const { server, deadline } = open()
    const clock = { elapsed: () => 0 }
    const client = createSmtpClient(stream, { dialer: server.dialer, deadline, clock, hostname: 'mail.one.test' })
    const hello = client.hello()
    for (const octet of '220-scripted') {
      peer.write(octet)
      await settled()
    }
    expect(deadline.starts).toBe(1)
    deadline.pass()
    expect(await hello).toMatchObject({ ok: false, failure: { kind: 'timeout' } })
  })

  test('the transcript is bounded for each transaction', async () => {
    const limits = { transcript: { events: 4, characters: 1000, lineCharacters: 10 } }
    const { client, events } = await greeted({}, { limits })
    expect(events.map(({ line }) => line)).toEqual([
      '220 script',
      'EHLO mail.',
      '250-script',
      '250-PIPELI',
      'transcript',
    ])
    await client.transact(request())
    expect(events).toHaveLength(10)
    expect(events[5]).toEqual({ direction: 'sent', phase: 'mail', elapsedMs: 0, line: 'MAIL FROM:' })
  })

  test('so is what its lines hold together', async () => {
    const limits = { transcript: { events: 100, characters: 30, lineCharacters: 10 } }
    const { events } = await greeted({}, { limits })
    expect(events.map(({ line }) => line)).toEqual(['220 script', 'EHLO mail.', '250-script', 'transcript'])
  })
})

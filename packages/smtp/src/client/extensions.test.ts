import { expect, test } from 'vitest'
import { content, everything, greeted, request, settled, short } from '../../test/dialogue.ts'
import { parseCapabilities } from '../capabilities.ts'
import { reply } from '../reply.ts'
import { composeEnvelope, type Envelope } from './envelope.ts'
import type { TransactionRequest } from './request.ts'

function compose(offered: string[], more: Partial<TransactionRequest>, ...forwardPaths: string[]) {
  const capabilities = parseCapabilities(reply(250, null, 'x', ...offered))
  return composeEnvelope(request(more, ...forwardPaths), { capabilities, secure: true, recipientsMax: 100 })
}

test('recipients of more domains than the peer takes at once wait for the next transaction', () => {
  const { rcpts } = compose(['LIMITS RCPTDOMAINMAX=2'], {}, 'a@x', 'b@Y', 'c@z', 'd@y', 'e@X') as Envelope
  expect(rcpts.map((rcpt) => (typeof rcpt === 'string' ? rcpt : rcpt.status))).toEqual([
    'RCPT TO:<a@x>',
    'RCPT TO:<b@Y>',
    '4.5.3',
    'RCPT TO:<d@y>',
    'RCPT TO:<e@X>',
  ])
})

test('parameters go only where they are offered', () => {
  const asked: Partial<TransactionRequest> = {
    eightBit: true,
    ret: 'HDRS',
    envid: 'a b',
    recipients: [{ forwardPath: 'b@x', notify: ['FAILURE'], orcpt: { type: 'rfc822', address: 'b+c@x' } }],
  }
  expect(compose(everything, asked)).toMatchObject({
    mail: 'MAIL FROM:<alice@one.test> SIZE=28 BODY=8BITMIME RET=HDRS ENVID=a+20b',
    rcpts: ['RCPT TO:<b@x> NOTIFY=FAILURE ORCPT=rfc822;b+2Bc@x'],
  })
  expect(compose([], asked)).toMatchObject({
    mail: 'MAIL FROM:<alice@one.test>',
    rcpts: ['RCPT TO:<b@x>'],
  })
  expect(compose([], { reversePath: '' })).toMatchObject({ mail: 'MAIL FROM:<>' })
})

test('what the peer cannot take is refused before a word is sent', () => {
  expect(compose(['SIZE 10'], { size: 11 })).toMatchObject({ kind: 'unsupported', status: '5.3.4' })
  expect(compose(['SIZE 10'], { size: 10 })).toMatchObject({ mail: 'MAIL FROM:<alice@one.test> SIZE=10' })
  expect(compose(['SIZE 0'], { size: 11 })).toMatchObject({ mail: 'MAIL FROM:<alice@one.test> SIZE=11' })
  expect(compose([], { requireTls: true })).toMatchObject({ kind: 'unsupported', status: '5.7.30' })
  expect(compose(['REQUIRETLS'], { requireTls: true })).toMatchObject({ mail: 'MAIL FROM:<alice@one.test> REQUIRETLS' })
  expect(compose([], { smtpUtf8: true })).toMatchObject({ kind: 'unsupported', status: '5.6.9' })
  expect(compose([], { reversePath: 'ü@one.test' })).toMatchObject({ kind: 'unsupported', status: '5.6.7' })
})

test('addresses beyond ASCII: as they are with SMTPUTF8, as A-labels or refused alone without', () => {
  expect(compose(['SMTPUTF8', '8BITMIME'], {}, 'ü@x', 'a@bücher.test')).toMatchObject({
    mail: 'MAIL FROM:<alice@one.test> BODY=8BITMIME SMTPUTF8',
    rcpts: ['RCPT TO:<ü@x>', 'RCPT TO:<a@bücher.test>'],
  })
  expect(compose([], {}, 'ü@x', 'a@bücher.test', 'b@x')).toMatchObject({
    mail: 'MAIL FROM:<alice@one.test>',
    rcpts: [{ status: '5.6.7' }, 'RCPT TO:<a@xn--bcher-kva.test>', 'RCPT TO:<b@x>'],
  })
})

test('ORCPT beyond ASCII is plain ASCII without SMTPUTF8 (RFC 6533 §3)', () => {
  const recipients = [{ forwardPath: 'b@x', orcpt: { type: 'utf-8', address: 'ü@x' } }]
  expect(compose(['DSN', 'SMTPUTF8'], { recipients })).toMatchObject({ rcpts: ['RCPT TO:<b@x> ORCPT=utf-8;\\x{FC}@x'] })
  expect(compose(['DSN', 'SMTPUTF8'], { recipients, smtpUtf8: true })).toMatchObject({
    rcpts: ['RCPT TO:<b@x> ORCPT=utf-8;ü@x'],
  })
})

test.each(['a@x> NOTIFY=NEVER', 'a@x\r\nRSET', 'a', '', 'a b@x', 'a@x\0'])(
  'address %j cannot be smuggled into a command',
  async (path) => {
    const { client, server } = await greeted()
    expect(short(await client.transact(request({}, path, 'b@x')))).toEqual(['failed local 5.1.3', 'delivered'])
    expect(server.transactions[0]!.recipients).toEqual(['TO:<b@x>'])
    if (path !== '')
      expect(short(await client.transact(request({ reversePath: path })))).toEqual(['failed local 5.1.7'])
  },
)

test('a quoted local part and <postmaster> go as they are', async () => {
  const { client, server } = await greeted()
  expect(short(await client.transact(request({}, '"a> b"@x', 'postmaster')))).toEqual(['delivered', 'delivered'])
  expect(server.transactions[0]!.recipients).toEqual(['TO:<"a> b"@x>', 'TO:<postmaster>'])
})

test('no DSN: the result says so; no 8BITMIME: 8-bit content goes as it is', async () => {
  const { client, server } = await greeted({ capabilities: [] })
  const body = Buffer.from('Subject: x\r\n\r\ngrüß\r\n')
  const result = await client.transact(request({ body, eightBit: true, size: null }))
  expect(result).toMatchObject({ dsnOffered: false })
  expect(server.transactions[0]!.content).toEqual(body)
})

const chunking = [...everything, 'CHUNKING']

test('CHUNKING: small content rides with its envelope in one write, dots untouched', async () => {
  const { client, server } = await greeted({ capabilities: chunking })
  const before = server.sessions[0]!.pieces.length
  expect(short(await client.transact(request()))).toEqual(['delivered'])
  expect(server.sessions[0]!.pieces.length - before).toBe(1)
  expect(server.sessions[0]!.commands.at(-1)).toBe('BDAT 28 LAST')
  expect(server.transactions[0]!.content.toString()).toBe(content)
  expect(
    short(await client.transact(request({ body: [Buffer.from(content.slice(0, 5)), Buffer.from(content.slice(5))] }))),
  ).toEqual(['delivered'])
  expect(server.transactions[1]!.content.toString()).toBe(content)
})

test('CHUNKING: refusals of the envelope, with the content already sent', async () => {
  const script = { MAIL: ['550 5.7.1 no', '250 ok'], RCPT: ['550 5.1.1 no', '250 ok', '550 5.1.1 no', '452 4.5.3 no'] }
  const { client, server } = await greeted({ capabilities: chunking, script })
  expect(short(await client.transact(request()))).toEqual(['failed 550 5.7.1'])
  expect(short(await client.transact(request()))).toEqual(['failed 550 5.1.1'])
  expect(short(await client.transact(request({}, 'a@x', 'b@x', 'c@x')))).toEqual([
    'delivered',
    'failed 550 5.1.1',
    'deferred 452 4.5.3 tooMany',
  ])
  expect(server.transactions).toHaveLength(1)
})

test('CHUNKING: large content in chunks behind the accepted envelope', async () => {
  const { client, server } = await greeted({ capabilities: ['PIPELINING', 'CHUNKING'] })
  const body = Buffer.alloc(580_000, 'all work and no play\r\n.dull\r\n')
  expect(
    short(
      await client.transact(request({ body: [body.subarray(0, 290_000), body.subarray(290_000)], size: body.length })),
    ),
  ).toEqual(['delivered'])
  expect(server.transactions[0]!.content.equals(body)).toBe(true)
  expect(server.sessions[0]!.commands.filter((line) => line.startsWith('BDAT'))).toEqual([
    'BDAT 290000',
    'BDAT 290000',
    'BDAT 0 LAST',
  ])
})

test('CHUNKING: a refused chunk ends the transaction, not the connection', async () => {
  const { client, server } = await greeted({ capabilities: ['CHUNKING'], script: { BDAT: '552 5.3.4 too big' } })
  const body = (async function* () {
    yield Buffer.alloc(300_000, 'a\r\n')
    await settled()
    yield Buffer.alloc(300_000, 'b\r\n')
  })()
  expect(short(await client.transact(request({ body, size: null })))).toEqual(['failed 552 5.3.4'])
  expect(server.sessions[0]!.commands.at(-1)).toBe('BDAT 300000')
  expect(short(await client.transact(request()))).toEqual(['delivered'])
})

test.for([['CHUNKING'], []])('large content is freed piece by piece as it leaves, with %j', async (capabilities) => {
  const { client, server } = await greeted({ capabilities })
  const pieces = [Buffer.alloc(300_000, 'a\r\n'), Buffer.alloc(99_999, 'b\r\n')]
  expect(short(await client.transact(request({ body: pieces, size: null })))).toEqual(['delivered'])
  expect(server.transactions[0]!.content).toHaveLength(399_999)
  expect(pieces.map(({ buffer }) => buffer.byteLength)).toEqual([0, 0])
})

test('CHUNKING: what was said to a last chunk, that was on its way, hid why the one before it was refused', async () => {
  const script = { BDAT: ['452 4.3.1 full', '250 ok'], CONTENT: ['503 5.5.1 no transaction', '250 ok'] }
  const { client } = await greeted({ capabilities: ['CHUNKING'], script })
  const body = () => [Buffer.alloc(300_000, 'a\r\n'), Buffer.alloc(300, 'b\r\n')]
  const result = await client.transact(request({ body: body(), size: null }))
  await settled()
  expect(short(result)).toEqual(['deferred 452 4.3.1'])
  expect(short(await client.transact(request({ body: body(), size: null })))).toEqual(['delivered'])
})

test('CHUNKING: the reply to a last chunk left the next transaction without an end', async () => {
  let answer = (): void => {}
  const { client, server } = await greeted({
    capabilities: ['CHUNKING'],
    script: { BDAT: '452 4.3.1 full', CONTENT: { reply: '503 5.5.1 no transaction', delayMs: 1 }, RSET: {} },
    clock: {
      after(_, expire) {
        answer = expire
        return { refresh() {}, [Symbol.dispose]() {} }
      },
    },
  })
  const body = [Buffer.alloc(300_000, 'a\r\n'), Buffer.alloc(300, 'b\r\n')]
  expect(short(await client.transact(request({ body, size: null })))).toEqual(['deferred 452 4.3.1'])
  const second = client.transact(request())
  await settled()
  answer()
  await settled()
  server.sessions[0]!.drop()
  expect(short(await second)).toEqual(['deferred network 4.4.2'])
})

test('CHUNKING: content of a transaction that was over broke the connection, in the midst of the next one', async () => {
  const { client } = await greeted({ capabilities: ['CHUNKING'], script: { BDAT: ['552 5.3.4 too big', '250 ok'] } })
  const unread = Promise.withResolvers<void>()
  const body = (async function* () {
    yield Buffer.alloc(300_000, 'a\r\n')
    await unread.promise
    throw new Error('closed')
  })()
  expect(short(await client.transact(request({ body, size: null })))).toEqual(['failed 552 5.3.4'])
  const next = (async function* () {
    yield Buffer.alloc(300_000, 'b\r\n')
    unread.resolve()
    await settled()
    yield Buffer.alloc(300_000, 'c\r\n')
  })()
  expect(short(await client.transact(request({ body: next, size: null })))).toEqual(['delivered'])
})

test('CHUNKING: lost behind the content is uncertain even before the envelope was answered', async () => {
  const { client } = await greeted({ capabilities: chunking, script: { MAIL: { drop: true } } })
  const result = await client.transact(request())
  expect(short(result)).toEqual(['deferred network 4.4.2'])
  expect(result.uncertain).toBe(true)
})

test('CHUNKING: content that is longer than declared is not sent', async () => {
  const { client, server } = await greeted({ capabilities: chunking })
  expect(short(await client.transact(request({ body: [Buffer.from(content)], size: 5 })))).toEqual([
    'deferred local 4.3.0',
  ])
  expect(server.transactions).toHaveLength(0)
})

test('CHUNKING: a peer that does not know BDAT may have taken the content for commands', async () => {
  const { client } = await greeted({ capabilities: ['CHUNKING'], script: { CONTENT: '502 5.5.1 not implemented' } })
  const result = await client.transact(request())
  expect(short(result)).toEqual(['deferred 502 5.5.1'])
  expect(result.uncertain).toBe(false)
  expect([client.refusesBdat, client.usable]).toEqual([true, false])
  const early = await greeted({ capabilities: ['CHUNKING'], script: { BDAT: '500 5.5.1 what' } })
  const body = (async function* () {
    yield Buffer.alloc(300_000, 'a\r\n')
    await settled()
    yield Buffer.alloc(300_000, 'b\r\n')
  })()
  expect(short(await early.client.transact(request({ body, size: null })))).toEqual(['deferred 500 5.5.1'])
  expect([early.client.refusesBdat, early.client.usable]).toEqual([true, false])
  const other = await greeted({ capabilities: ['CHUNKING'] })
  expect(short(await other.client.transact(request({ byData: true })))).toEqual(['delivered'])
  expect(other.server.sessions[0]!.commands).toContain('DATA')
})

import { describe, expect, test } from 'vitest'
import { content, everything, greeted, request, settled, short } from '../../test/dialogue.ts'

const withoutPipelining = everything.filter((keyword) => keyword !== 'PIPELINING')
const wire = content.replace('.dot', '..dot')

describe.each([
  ['pipelined', everything],
  ['one by one', withoutPipelining],
])('%s', (_, capabilities) => {
  test('one message to one recipient', async () => {
    const { client, server, transcript } = await greeted({ capabilities })
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions[0]).toMatchObject({
      mail: `FROM:<alice@one.test> SIZE=${content.length}`,
      recipients: ['TO:<bob@two.test>'],
      content: Buffer.from(content),
    })
    await client.quit()
    expect(transcript()).toContain('C: MAIL FROM:<alice@one.test> SIZE=28\n')
    expect(transcript()).toContain('*: 29 octets of content')
    expect(transcript()).toContain('S: 250 2.0.0 Ok: queued as SCRIPTED\nC: QUIT\nS: 221 2.0.0 Bye\n')
    expect(transcript()).not.toContain('hello')
  })

  test('each recipient has its own outcome', async () => {
    const script = { RCPT: ['250 ok', '550 5.1.1 no such user', '451 4.7.1 later', '250 ok'] }
    const { client, server } = await greeted({ capabilities, script })
    const result = await client.transact(request({}, 'a@x', 'b@x', 'c@x', 'd@x'))
    expect(short(result)).toEqual(['delivered', 'failed 550 5.1.1', 'deferred 451 4.7.1', 'delivered'])
    expect(result.outcomes[1]).toMatchObject({
      phase: 'rcpt',
      failure: { kind: 'reply', status: '5.1.1' },
      forwardPath: 'b@x',
    })
    expect(server.transactions[0]!.recipients).toEqual(['TO:<a@x>', 'TO:<d@x>'])
    expect(client.usable).toBe(true)
  })

  test('MAIL refused: all share the reply, and the next transaction works', async () => {
    const { client, server } = await greeted({ capabilities, script: { MAIL: ['550 5.7.1 blocked', '250 ok'] } })
    expect(short(await client.transact(request({}, 'a@x', 'b@x')))).toEqual(['failed 550 5.7.1', 'failed 550 5.7.1'])
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions).toHaveLength(1)
  })

  test('nobody accepted: no content, RSET before the next', async () => {
    const { client, server } = await greeted({ capabilities, script: { RCPT: ['550 5.1.1 no', '250 ok'] } })
    expect(short(await client.transact(request()))).toEqual(['failed 550 5.1.1'])
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.sessions[0]!.commands.filter((line) => line === 'RSET')).toHaveLength(1)
    expect(server.transactions).toHaveLength(1)
  })

  test('DATA refused', async () => {
    const { client, server } = await greeted({ capabilities, script: { DATA: ['451 4.3.0 no', '354 go'] } })
    expect(short(await client.transact(request()))).toEqual(['deferred 451 4.3.0'])
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions).toHaveLength(1)
  })

  test('any 3yz is the go-ahead for content', async () => {
    const { client, server } = await greeted({ capabilities, script: { DATA: '350 go' } })
    expect(short(await client.transact(request()))).toEqual(['delivered'])
    expect(server.transactions).toHaveLength(1)
  })

  test('content refused', async () => {
    const { client } = await greeted({ capabilities, script: { CONTENT: ['554 5.7.1 spam', '250 ok'] } })
    const result = await client.transact(request())
    expect(short(result)).toEqual(['failed 554 5.7.1'])
    expect(result).toMatchObject({ uncertain: false, outcomes: [{ phase: 'dot' }] })
    expect(short(await client.transact(request()))).toEqual(['delivered'])
  })

  test('452 for one too many: the rest may go at once in the next transaction', async () => {
    const script = { RCPT: ['250 ok', '250 ok', '452 4.5.3 too many', '452 too many', '552 too many'] }
    const { client } = await greeted({ capabilities, script })
    expect(short(await client.transact(request({}, 'a@x', 'b@x', 'c@x', 'd@x', 'e@x')))).toEqual([
      'delivered',
      'delivered',
      'deferred 452 4.5.3 tooMany',
      'deferred 452 tooMany',
      'deferred 552 tooMany',
    ])
  })

  test('452 and 552 about the mailbox, or for the first recipient, are what they say', async () => {
    const script = { RCPT: ['452 no', '552 full', '250 ok', '452 4.2.2 full', '552 5.2.2 full'] }
    const { client } = await greeted({ capabilities, script })
    expect(short(await client.transact(request({}, 'a@x', 'b@x', 'c@x', 'd@x', 'e@x')))).toEqual([
      'deferred 452',
      'failed 552',
      'delivered',
      'deferred 452 4.2.2',
      'failed 552 5.2.2',
    ])
  })

  test('421 in the midst of RCPT ends everything, certainly', async () => {
    const script = { RCPT: ['250 ok', { reply: '421 4.3.2 going down', drop: true }] }
    const { client, server } = await greeted({ capabilities, script })
    const result = await client.transact(request({}, 'a@x', 'b@x', 'c@x'))
    expect(short(result)).toEqual(['deferred 421 4.3.2', 'deferred 421 4.3.2', 'deferred 421 4.3.2'])
    expect(result.uncertain).toBe(false)
    expect(client.usable).toBe(false)
    expect(server.transactions).toHaveLength(0)
    expect(short(await client.transact(request()))).toEqual(['deferred 421 4.3.2'])
  })

  test('421 to the final dot is an answer', async () => {
    const { client } = await greeted({ capabilities, script: { CONTENT: { reply: '421 4.3.0 no', drop: true } } })
    const result = await client.transact(request())
    expect(short(result)).toEqual(['deferred 421 4.3.0'])
    expect(result.uncertain).toBe(false)
  })

  test('lost behind the final dot: deferred and uncertain', async () => {
    const { client } = await greeted({ capabilities, script: { CONTENT: { drop: true } } })
    const result = await client.transact(request())
    expect(short(result)).toEqual(['deferred network 4.4.2'])
    expect(result).toMatchObject({ uncertain: true, outcomes: [{ phase: 'dot' }] })
  })

  test('354 to the final dot is no answer: deferred and uncertain, and the connection is over', async () => {
    const { client } = await greeted({ capabilities, script: { CONTENT: '354 go on' } })
    const result = await client.transact(request())
    expect(result).toMatchObject({ uncertain: true, outcomes: [{ outcome: 'deferred', phase: 'dot' }] })
    expect(client.usable).toBe(false)
  })

  test('lost after MAIL, RCPT or DATA: deferred and certain', async () => {
    for (const verb of ['MAIL', 'RCPT', 'DATA'] as const) {
      const { client } = await greeted({ capabilities, script: { [verb]: { drop: true } } })
      const result = await client.transact(request())
      expect(short(result)).toEqual(['deferred network 4.4.2'])
      expect(result.uncertain).toBe(false)
    }
  })

  test('a peer that is silent runs into the timeout of its phase', async () => {
    const { client, deadline } = await greeted({ capabilities, script: { RCPT: {} } })
    const result = client.transact(request())
    await settled()
    expect(deadline.delaysMs).toEqual([300_000])
    deadline.pass()
    expect(short(await result)).toEqual(['deferred timeout 4.4.2'])
    expect((await result).outcomes[0]).toMatchObject({ phase: 'rcpt', failure: { kind: 'timeout' } })
    expect(deadline.delaysMs).toEqual([])
  })
})

test('a pipelined transaction is two writes: envelope with DATA, content with the dot', async () => {
  const { client, server } = await greeted()
  const before = server.sessions[0]!.pieces.length
  await client.transact(request({}, 'a@x', 'b@x'))
  const envelope = `MAIL FROM:<alice@one.test> SIZE=28\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nDATA\r\n`
  expect(server.sessions[0]!.pieces.slice(before)).toEqual([envelope.length, wire.length + 3])
})

test('354 for nobody gets a bare dot, and its 250 delivers nothing (RFC 2920 §3.1)', async () => {
  const { client, server } = await greeted({ script: { RCPT: ['550 5.1.1 no', '250 ok'], DATA: '354 go' } })
  expect(short(await client.transact(request()))).toEqual(['failed 550 5.1.1'])
  expect(server.sessions[0]!.commands.at(-1)).toBe('DATA')
  expect(short(await client.transact(request()))).toEqual(['delivered'])
  expect(server.transactions.map(({ recipients }) => recipients.length)).toEqual([1])
})

test('a drop at 60 % of the content is certain, and no final dot was sent', async () => {
  const body = Buffer.alloc(90_000, 'all work and no play\r\n')
  const { client, server } = await greeted({ script: { CONTENT: { after: '60%', drop: true } } })
  const result = await client.transact(request({ body: slowly(body), size: body.length }))
  expect(short(result)).toEqual(['deferred network 4.4.2'])
  expect(result.outcomes[0]!.phase).toBe('content')
  expect(result.uncertain).toBe(false)
  expect(server.transactions).toHaveLength(0)
})

test('a refusal in the midst of content decides for all and ends the connection', async () => {
  const body = Buffer.alloc(90_000, 'all work and no play\r\n')
  const { client } = await greeted({ script: { CONTENT: { after: 70_000, reply: '552 5.3.4 too big', drop: true } } })
  const result = await client.transact(request({ body: slowly(body), size: body.length }, 'a@x', 'b@x'))
  expect(short(result)).toEqual(['failed 552 5.3.4', 'failed 552 5.3.4'])
  expect(client.usable).toBe(false)
})

test('content that cannot be read breaks the connection, so that no part of it counts', async () => {
  const { client, server } = await greeted()
  const body = (async function* () {
    yield Buffer.from('Subject: half\r\n')
    throw new Error('disk on fire')
  })()
  const result = await client.transact(request({ body, size: null }))
  expect(short(result)).toEqual(['deferred local 4.3.0'])
  expect(result.outcomes[0]!.failure!.text).toContain('disk on fire')
  await settled()
  expect(server.transactions).toHaveLength(0)
})

test('closing in the midst of a transaction gives it an end', async () => {
  const { client } = await greeted({ script: { CONTENT: {} } })
  const result = client.transact(request())
  await settled()
  client.close()
  expect(short(await result)).toEqual(['deferred local 4.3.2'])
  expect((await result).uncertain).toBe(true)
})

test('a reply that answers nothing ends the connection', async () => {
  const { client } = await greeted({ script: { CONTENT: '250 ok\r\n250 and one more' } })
  expect(short(await client.transact(request()))).toEqual(['delivered'])
  await settled()
  expect(client.usable).toBe(false)
})

test('a kept connection that the peer closes is not usable', async () => {
  const { client, server } = await greeted()
  server.sessions[0]!.drop()
  await settled()
  expect(client.usable).toBe(false)
  expect(short(await client.transact(request()))).toEqual(['deferred network 4.4.2'])
})

test('calls do not overlap', async () => {
  const { client } = await greeted()
  const first = client.transact(request())
  await expect(client.transact(request())).rejects.toThrow('busy')
  expect(short(await first)).toEqual(['delivered'])
})

test('content with dots, bare line ends and no last line end arrives as it should', async () => {
  const { client, server } = await greeted()
  await client.transact(request({ body: Buffer.from('.a\n..b\rc\r\n.'), size: null }))
  expect(server.transactions[0]!.content.toString()).toBe('.a\r\n..b c\r\n.\r\n')
})

/** In two parts, so that the peer has seen the first when the second is asked for. */
async function* slowly(body: Buffer): AsyncGenerator<Buffer> {
  yield body.subarray(0, 80_000)
  await settled()
  yield body.subarray(80_000)
}

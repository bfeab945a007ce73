/** Changes that the store cannot read when they are to be told: they are told when it can. */
import { type Uid, UidSet } from '@pennypost/model'
import { expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

test('of a result that is kept up to date, and of annotations', async () => {
  let fails = false
  const orFail = (): void => {
    if (fails) throw new Error('the disk does not answer')
  }
  const server = await TestServer.start()
  const { mail, annotations } = server.store
  server.options.mail = {
    ...mail,
    async search(...args) {
      orFail()
      return mail.search(...args)
    },
  }
  server.options.annotations = {
    ...annotations,
    async annotationsChanged(...args) {
      orFail()
      return annotations.annotationsChanged(...args)
    },
  }
  await server.deliver('INBOX', sampleMessage('simple'))
  const [client, other] = [await server.alice('SELECT INBOX'), await server.alice('SELECT INBOX')]
  await client.say('ENABLE METADATA')
  await client.say('UID SEARCH RETURN (UPDATE ALL) SUBJECT hello')
  await server.deliver('INBOX', sampleMessage('simple'))
  await other.say('SETMETADATA INBOX (/private/comment "x")')

  fails = true
  expect(await client.say('NOOP')).toEqual(['* 2 EXISTS', expect.stringContaining('RECENT'), 'x OK NOOP completed'])
  fails = false
  expect(await client.say('NOOP')).toEqual([
    '* METADATA INBOX /private/comment',
    '* ESEARCH (TAG "x") UID ADDTO (0 2)',
    'x OK NOOP completed',
  ])
  expect(await client.say('NOOP')).toEqual(['x OK NOOP completed'])
  await server.stop()
})

test('a result that cannot be searched kept back the others, and new messages that came into them', async () => {
  const server = await TestServer.start()
  let fails = false
  server.failWhile(() => fails, 'search', new Error('the disk does not answer'))
  const client = await server.alice(
    'SELECT INBOX',
    'SEARCH RETURN (UPDATE) BODY hello',
    'SEARCH RETURN (UPDATE (RFC822.SIZE)) ALL',
  )
  fails = true
  await server.deliver('INBOX', sampleMessage('simple'))
  client.send(Buffer.from('a5 NOOP\r\n'))
  for (const said of ['* 1 EXISTS', '* 1 RECENT', '* ESEARCH (TAG "a4") ADDTO (0 1)', '* 1 FETCH (RFC822.SIZE ']) {
    expect((await client.response())?.startsWith(said)).toBe(true)
  }
  expect(await client.response()).toBe('a5 OK NOOP completed')
  fails = false
  client.send(Buffer.from('a6 NOOP\r\n'))
  expect(await client.response()).toBe('* ESEARCH (TAG "a3") ADDTO (0 1)')
  expect(await client.response()).toBe('a6 OK NOOP completed')
  fails = true
  client.send(Buffer.from('a7 IDLE\r\n'))
  expect(await client.response()).toBe('+ idling')
  await server.deliver('INBOX', sampleMessage('simple'))
  for (const said of ['* 2 EXISTS', '* 2 RECENT', '* ESEARCH (TAG "a4") ADDTO (0 2)', '* 2 FETCH (RFC822.SIZE ']) {
    expect((await client.response())?.startsWith(said)).toBe(true)
  }
  await server.stop()
})

test.each(['SEARCH SUBJECT hello', 'SORT (ARRIVAL) UTF-8 SUBJECT hello', 'THREAD REFERENCES UTF-8 SUBJECT hello'])(
  'of an expunge that the store knew of before the session was woken: %s missed a message and ended in a plain OK',
  async (command) => {
    const server = await TestServer.start()
    const { mail } = server.store
    server.options.mail = { ...mail, watch: () => ({ [Symbol.dispose]() {} }) }
    for (let message = 0; message < 2; message++) await server.deliver('INBOX', sampleMessage('simple'))
    const client = await server.alice('SELECT INBOX')
    await mail.expunge((await server.mailbox('INBOX')).id, UidSet.of(1 as Uid), 'all')
    client.send(Buffer.from(`x ${command}\r\n`))
    expect(await client.response()).toMatch(/^\* (SEARCH|SORT|THREAD) \(?2\)?$/)
    expect(await client.response()).toBe('x OK [EXPUNGEISSUED] Some of the messages are gone')
    await server.stop()
  },
)

test('a SEARCH whose result was told, and is kept up to date, ended in NO', async () => {
  const server = await TestServer.start()
  let fails = false
  server.failWhile(() => fails, 'changesSince', new Error('the disk does not answer'))
  await server.deliver('INBOX', sampleMessage('simple'))
  const client = await server.alice('SELECT INBOX')
  fails = true
  expect(await client.say('SEARCH RETURN (UPDATE SAVE ALL) ALL')).toEqual([
    '* ESEARCH (TAG "x") ALL 1',
    'x OK SEARCH completed',
  ])
  fails = false
  expect(await client.say('STORE $ +FLAGS (\\Deleted)')).toContain('x OK STORE completed')
  expect(await client.say('EXPUNGE')).toContain('* ESEARCH (TAG "x") REMOVEFROM (0 1)')
  await server.stop()
})

test('of two messages that came into a sorted result one was expunged meanwhile: the other was never told', async () => {
  const server = await TestServer.start()
  const { mail } = server.store
  for (let message = 0; message < 2; message++) await server.deliver('INBOX', sampleMessage('simple'))
  const { id } = await server.mailbox('INBOX')
  let expunges = false
  server.options.mail = {
    ...mail,
    async *fetch(...args) {
      if (expunges) await mail.expunge(id, UidSet.of(2 as Uid), 'all')
      expunges = false
      yield* mail.fetch(...args)
    },
  }
  const client = await server.alice('SELECT INBOX')
  const idling = await server.alice('SELECT INBOX')
  idling.send(Buffer.from('i IDLE\r\n'))
  expect(await client.say('UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 FLAGGED')).toHaveLength(2)
  await mail.updateFlags(id, { uids: UidSet.ofRanges([[1, 2]]), mode: 'add', flags: ['\\Flagged'] })
  expunges = true
  expect(await client.say('NOOP')).toContain('* ESEARCH (TAG "x") UID ADDTO (1 1)')
  await server.stop()
})

/** What a client is told of a message whose stored octets cannot be read. */
import type { MailStore } from '@pennypost/model'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient
/** From which octet of the body on nothing can be read, of the second message. */
let damagedFrom: number
/** What begins from this one on can be read. */
let damagedTo: number
/** Readings of bodies. */
let reads: number

/** Bodies come in pieces, as large ones do; the second message's end in an error. */
function withDamage(mail: MailStore): MailStore {
  const damaged = new Set<number>()
  return {
    ...mail,
    async *fetch(...args) {
      for await (const page of mail.fetch(...args)) {
        for (const row of page) if (row.uid === 2) damaged.add(row.message)
        yield page.map(({ body: _, ...row }) => row)
      }
    },
    async *readBody(message, start = 0, end = 1_000_000) {
      reads++
      const readable = damaged.has(message) && start < damagedTo ? damagedFrom : Number.POSITIVE_INFINITY
      if (start < readable) yield* mail.readBody(message, start, Math.min(end, readable))
      if (end > readable) throw new Error('the file is shorter than it was')
    },
  }
}

beforeEach(async () => {
  reads = 0
  damagedTo = Number.POSITIVE_INFINITY
  server = await TestServer.start()
  server.options.mail = withDamage(server.store.mail)
  for (let count = 0; count < 3; count++) await server.deliver('INBOX', sampleMessage('simple'))
  client = await server.alice('EXAMINE INBOX')
})

afterEach(() => server.stop())

test.each(['BODY[]', 'BODY[TEXT]', 'BODY[1]', 'RFC822', 'BINARY[1]', 'BINARY.SIZE[1]'])(
  'a message that is damaged is passed over by FETCH %s: the others are told, and the session goes on',
  async (item) => {
    damagedFrom = 3
    const responses = await client.say(`FETCH 1:* ${item}`)
    expect(responses.map((response) => response.split(' ', 3).join(' '))).toEqual([
      '* 1 FETCH',
      '* 3 FETCH',
      'x NO [SERVERBUG]',
    ])
    expect(await client.say('NOOP')).toEqual(['x OK NOOP completed'])
  },
)

test('what can be read of a damaged message is given', async () => {
  damagedFrom = 3
  expect(await client.say('FETCH 2 (RFC822.SIZE BODY[TEXT]<0.3> BODY[HEADER.FIELDS (Subject)])')).toHaveLength(2)
})

test.each(['FETCH 2 BODY.PEEK[TEXT]', 'URLFETCH "URL"', 'URLFETCH ("URL" BODY)'])(
  'behind the announced size nothing can be said any more: the connection ends in %s',
  async (command) => {
    damagedFrom = 3
    damagedTo = 10
    const rump = 'imap://alice%40one.test@x/INBOX/;UID=2/;SECTION=TEXT;URLAUTH=authuser'
    const [, url = ''] = /"(.*)"/.exec((await client.say(`GENURLAUTH "${rump}" INTERNAL`)).join()) ?? []
    const responses = await client.say(command.replace('URL"', `${url}"`))
    expect(responses.at(-1)).toBe('<closed>')
  },
)

test('a response that broke off in its midst was followed by the completion, on the same line', async () => {
  const damaged = await TestServer.start()
  const { mail } = damaged.store
  damaged.options.mail = {
    ...mail,
    async *fetch(...args) {
      for await (const page of mail.fetch(...args)) {
        yield page.map(({ index: _, ...row }) => ({
          ...row,
          get index(): never {
            throw new Error('the database is damaged')
          },
        }))
      }
    },
  }
  await damaged.deliver('INBOX', sampleMessage('simple'))
  const reader = await damaged.alice('EXAMINE INBOX')
  expect(await reader.say('FETCH 1 (UID ENVELOPE)')).toEqual(['<closed>'])
  await damaged.stop()
})

test('the end of a body was looked at twice before the message was told', async () => {
  damagedFrom = Number.POSITIVE_INFINITY
  await client.say('FETCH 1 BODY.PEEK[]')
  expect(reads).toBe(2)
})

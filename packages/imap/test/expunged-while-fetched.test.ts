/** What FETCH tells of a message whose text is still being read when another session expunges messages. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

let server: TestServer
let client: DialogueClient
let other: DialogueClient
/** As which reading of a body ends, the other session expunges. */
let expungedAfter: number
/** Bodies are read as large ones are: once to see that they can be, once to be sent. */
const readings = [1, 2]

beforeEach(async () => {
  server = await TestServer.start()
  const { mail } = server.store
  for (const flags of [[], ['\\Flagged'], ['\\Answered']]) await server.deliver('INBOX', sampleMessage('simple'), flags)
  let read = 0
  server.options.mail = {
    ...mail,
    async *fetch(...args) {
      for await (const page of mail.fetch(...args)) yield page.map(({ body: _, ...row }) => row)
    },
    async *readBody(...args) {
      yield* mail.readBody(...args)
      if (++read === expungedAfter) await other.say('EXPUNGE')
    },
  }
  other = await server.alice('SELECT INBOX')
  client = await server.alice('EXAMINE INBOX')
})

afterEach(() => server.stop())

/** Without the text. */
async function said(command: string): Promise<string[]> {
  return (await client.say(command)).map((response) => response.replace(/ \{26\}.*you\?\r\n/s, ' …'))
}

test.each(readings)(
  'FETCH told the flags of the message behind: one before it was expunged after reading %i',
  async (reading) => {
    await other.say('STORE 1 +FLAGS.SILENT (\\Deleted)')
    await client.say('NOOP')
    expungedAfter = reading
    expect(await said('FETCH 2 (UID FLAGS BODY.PEEK[TEXT] FLAGS BODY[HEADER.FIELDS (X)] MODSEQ)')).toEqual([
      expect.stringMatching(/^\* OK \[HIGHESTMODSEQ/),
      expect.stringMatching(
        /^\* 2 FETCH \(UID 2 FLAGS \(\\Flagged\) BODY\[TEXT\] … BODY\S+ \(X\)\] \{2\}\r\n\r\n MODSEQ \(3\)\)$/,
      ),
      'x OK FETCH completed',
    ])
  },
)

test('FETCH told with \\Seen the flags of the message behind: one before it was expunged as its text was sent', async () => {
  await other.say('STORE 1 +FLAGS.SILENT (\\Deleted)')
  await client.say('SELECT INBOX')
  expungedAfter = 2
  expect(await said('FETCH 2 BODY[TEXT]')).toEqual([
    '* 2 FETCH (BODY[TEXT] … FLAGS (\\Flagged \\Seen))',
    'x OK FETCH completed',
  ])
})

test('FETCH told the flags of the message behind: it was expunged itself as its text was sent', async () => {
  await other.say('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await client.say('NOOP')
  expungedAfter = 2
  expect(await said('FETCH 2:3 (BODY.PEEK[TEXT] FLAGS MODSEQ)')).toEqual([
    expect.stringMatching(/^\* OK \[HIGHESTMODSEQ/),
    expect.stringMatching(/^\* 2 FETCH \(BODY\[TEXT\] … FLAGS \(\) MODSEQ \(\d+\)\)$/),
    '* 3 FETCH (BODY[TEXT] … FLAGS (\\Answered) MODSEQ (4))',
    'x OK [EXPUNGEISSUED] Some of the messages are gone',
  ])
})

test('FETCH told the flags of the message behind: it was expunged itself before its response was begun', async () => {
  await other.say('STORE 2 +FLAGS.SILENT (\\Deleted)')
  await client.say('NOOP')
  expungedAfter = 1
  expect(await said('FETCH 2:3 (FLAGS BODY.PEEK[TEXT])')).toEqual([
    '* 3 FETCH (FLAGS (\\Answered) BODY[TEXT] …)',
    'x OK [EXPUNGEISSUED] Some of the messages are gone',
  ])
})

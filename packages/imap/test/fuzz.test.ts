import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { password, sampleMessage, TestServer } from './dialogue/server.ts'

/**
 * Any line in any state is answered: nothing hangs, throws, or makes the server say what is no response. Lines are
 * made of words of the protocol, so that parsers are reached, and of junk.
 */
const words = [
  'FETCH',
  'UID',
  'STORE',
  'SEARCH',
  'ESEARCH',
  'SORT',
  'THREAD',
  'SELECT',
  'EXAMINE',
  'LIST',
  'LSUB',
  'STATUS',
  'APPEND',
  'COPY',
  'MOVE',
  'EXPUNGE',
  'CREATE',
  'RENAME',
  'DELETE',
  'ENABLE',
  'ID',
  'NOOP',
  'CHECK',
  'CLOSE',
  'UNSELECT',
  'NAMESPACE',
  'GENURLAUTH',
  'URLFETCH',
  'RESETKEY',
  'imap://alice%40one.test@x/INBOX/;UID=1;URLAUTH=authuser',
  'INTERNAL',
  'LOGIN',
  'SUBSCRIBE',
  'INBOX',
  'Sent',
  '1',
  '2:4',
  '*',
  '1:*',
  '$',
  '0',
  '99999999999',
  'FLAGS',
  '+FLAGS.SILENT',
  '(\\Seen)',
  '\\Deleted',
  '(',
  ')',
  'BODY[]',
  'BODY.PEEK[1.2.MIME]',
  'BODY[HEADER.FIELDS (To)]<1.2>',
  'BINARY[1]',
  'ENVELOPE',
  'ALL',
  'OR',
  'NOT',
  'TEXT',
  'RETURN',
  '(ALL)',
  '(PARTIAL -1:-2 SAVE)',
  'IN',
  '(personal)',
  '(REVERSE DATE)',
  'REFERENCES',
  'FUZZY',
  'CHARSET',
  'UTF-8',
  'MODSEQ',
  '(MESSAGES)',
  '"',
  '""',
  '"a b"',
  '\\',
  '{3}',
  '{2+}',
  '~{1+}',
  '{99999999}',
  '%',
  'NIL',
  ' ',
  '  ',
  '&-',
  '\xff',
  '\0',
  '[',
  ']',
  '<',
  'IMAP4rev2',
  'UTF8=ACCEPT',
  'CONDSTORE',
  '1-Jan-2026',
  '(CHANGEDSINCE 1)',
  '(CHANGEDSINCE 1 VANISHED)',
  'QRESYNC',
  '(QRESYNC (1 1 1:3 (1 1)))',
  '(QRESYNC (1',
  'REPLACE',
  'CATENATE',
  '(TEXT {3+}',
  '(URL "/INBOX/;UID=1/;SECTION=1")',
  'URL',
  '"/INBOX;UIDVALIDITY=1/;UID=1/;PARTIAL=1.2"',
  'EMAILID',
  'M1-0',
  'GETQUOTA',
  'SETACL',
  'DELETEACL',
  'GETACL',
  'LISTRIGHTS',
  'MYRIGHTS',
  'bob',
  '-anyone',
  '+lrsd',
  '"Other Users/alice@one.test/INBOX"',
  '"Other Users/"',
  'GETMETADATA',
  'SETMETADATA',
  '/shared/comment',
  '(/private/x "y" /shared/z NIL)',
  '(DEPTH infinity MAXSIZE 3)',
  '(METADATA (/shared/comment) MYRIGHTS)',
  'GETQUOTAROOT',
  'SETQUOTA',
  '(STORAGE 1)',
  'NOTIFY',
  'SET',
  '(SELECTED (MessageNew (UID BODY.PEEK[]) MessageExpunge FlagChange))',
  '(PERSONAL (MailboxName SubscriptionChange MailboxMetadataChange))',
  '(SUBTREE (INBOX',
  'MessageNew',
] as const

const line = fc
  .tuple(
    fc.constantFrom('a', 'a1', '', '*', '+'),
    fc.array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary-ascii', maxLength: 4 })), { maxLength: 9 }),
  )
  .map(([tag, rest]) => Buffer.from([tag, ...rest].join(' ').replace(/[\r\n]/g, ''), 'latin1'))

/** Sends the line and whatever it may still be waiting for, then finds the way back to a known place. */
async function answered(client: DialogueClient, octets: Buffer): Promise<void> {
  client.send(Buffer.concat([octets, Buffer.from('\r\nDONE\r\n*\r\nzz9 NOOP\r\n')]))
  for (let count = 0; count < 500; count++) {
    const response = await client.response()
    if (response === undefined || response.startsWith('* BYE')) throw new Error('the session ended')
    expect(response).toMatch(/^(\+ |\* |[^\s]+ (OK|NO|BAD) )/)
    if (response.startsWith('zz9 ')) return
    // A literal that was asked for takes the rest of the line; one more is sent behind it.
    if (response.startsWith('+ Ready')) client.send(Buffer.from(`${'x'.repeat(200)}\r\n\r\nzz9 NOOP\r\n`))
  }
  throw new Error('no end of responses')
}

describe('any line in any state', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await TestServer.start()
    const many = Number.MAX_SAFE_INTEGER
    server.options.limits = {
      commandsBeforeLogin: many,
      failedLogins: many,
    }
    for (const name of ['simple', 'multipart', 'utf8']) await server.deliver('INBOX', sampleMessage(name))
  })

  afterAll(() => server.stop())

  async function client(...commands: string[]): Promise<DialogueClient> {
    const client = server.connect()
    await client.response()
    for (const command of commands) {
      client.send(Buffer.from(`s ${command}\r\n`))
      for (let response = await client.response(); !response?.startsWith('s OK'); response = await client.response()) {
        if (response === undefined) throw new Error(command)
      }
    }
    return client
  }

  const states = {
    'not authenticated': [],
    authenticated: [`LOGIN alice ${password}`],
    selected: [`LOGIN alice ${password}`, 'ENABLE UTF8=ACCEPT', 'SELECT INBOX'],
    'read only': [`LOGIN bob ${password}`, 'EXAMINE INBOX'],
  }
  for (const [state, commands] of Object.entries(states)) {
    test(state, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 5 }), async (lines) => {
          const session = await client(...commands)
          for (const octets of lines) await answered(session, octets)
          session.end()
        }),
        { seed: 9, numRuns: 60 },
      )
    })
  }

  test('junk octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (octets) => {
        const session = await client(`LOGIN alice ${password}`)
        session.send(Buffer.from(octets))
        session.end()
      }),
      { seed: 10, numRuns: 50 },
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(await client()).toBeDefined()
  })
})

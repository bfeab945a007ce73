/** What a POP3 client sees of a message whose octets cannot be read to their end. */
import type { MailStore, Store } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import { openHost } from './host.ts'

/** The store, but for bodies: they end in an error behind these octets. */
function withBrokenBodies(store: Store, readable: string): Store {
  const mail: MailStore = Object.create(store.mail, {
    fetch: {
      async *value(...args: Parameters<MailStore['fetch']>) {
        for await (const page of store.mail.fetch(...args)) yield page.map((row) => ({ ...row, body: null }))
      },
    },
    readBody: {
      async *value() {
        if (readable !== '') yield Buffer.from(readable)
        throw new Error('the file is shorter than it was')
      },
    },
  })
  return Object.create(store, { mail: { value: mail } })
}

const delivery = `
@service lmtp
S: 220 *
C+ LHLO client.test\\r\\nMAIL FROM:<a@two.test>\\r\\nRCPT TO:<bob@one.test>\\r\\nDATA\\r\\n
S...
S: 250 *
S: 250 *
S: 354 *
C+ Subject: x\\r\\n\\r\\ntext\\r\\n.\\r\\n
S: 250 *
`

it('an error in the middle of RETR never puts -ERR into the message: the connection ends', async () => {
  await using host = await openHost(async (clock) =>
    withBrokenBodies(createMemoryStore({ clock, random: seededRandom(2) }), 'first line\r\n'),
  )
  await playDialogue(delivery, host)
  const stream = await host.connect('pop3s')
  let seen = ''
  stream.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
  })
  const closed = new Promise((resolve) => stream.once('end', resolve))
  stream.write('AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=\r\nRETR 1\r\n')
  await closed
  expect(seen).toContain('Subject: x\r\n')
  expect(seen).toMatch(/first line\r\n$/)
  expect(seen).not.toContain('-ERR')
})

it('a message of which nothing can be read is refused, and the session goes on', async () => {
  await using host = await openHost(async (clock) =>
    withBrokenBodies(createMemoryStore({ clock, random: seededRandom(2) }), ''),
  )
  await playDialogue(
    `${delivery}
[reader]
@service pop3s
S: +OK *
C: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=
S: +OK *
C: RETR 1
S: -ERR [SYS/TEMP] The message cannot be read now
C: TOP 1 0
S: +OK *
S...
C: QUIT
S: +OK *
`,
    host,
  )
})

it('a maildrop that cannot be opened is refused, and can be asked for again', async () => {
  let asked = 0
  await using host = await openHost(async (clock) => {
    const store = createMemoryStore({ clock, random: seededRandom(2) })
    const snapshot: MailStore['snapshot'] = async (...args) => {
      if (asked++ === 0) throw new Error('database disk image is malformed')
      return store.mail.snapshot(...args)
    }
    return Object.create(store, { mail: { value: Object.create(store.mail, { snapshot: { value: snapshot } }) } })
  })
  await playDialogue(
    `@service pop3s
S: +OK *
C: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=
S: -ERR [SYS/TEMP] Maildrop is not available now
C: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=
S: +OK 0 messages
C: QUIT
S: +OK *
`,
    host,
  )
})

it('who could not log in for our own trouble was told in the end that the password is wrong', async () => {
  await using host = await openHost(async (clock) => {
    const store = createMemoryStore({ clock, random: seededRandom(2) })
    const list = async () => {
      throw new Error('database is locked')
    }
    return Object.create(store, { credentials: { value: Object.create(store.credentials, { list: { value: list } }) } })
  })
  const login = `C: USER bob@one.test
S: +OK *
C: PASS secret
S: -ERR [SYS/TEMP] *
`
  await playDialogue(`@service pop3s\nS: +OK *\n${login.repeat(5)}S: -ERR [SYS/TEMP] Too many failed logins\n`, host)
})

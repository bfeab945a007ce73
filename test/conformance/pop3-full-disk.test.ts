/** What a POP3 client sees where \Seen cannot be written, as on a full disk: mail can be fetched and deleted all the same. */
import { type MailStore, StoreError } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { afterEach, beforeEach, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import { type Host, openHost } from './host.ts'

/** More of them than \Seen are written in one go. */
const letters = 50
let host: Host

beforeEach(async () => {
  host = await openHost(async (clock) => {
    const store = createMemoryStore({ clock, random: seededRandom(2) })
    const updateFlags: MailStore['updateFlags'] = async () => {
      throw new StoreError('no-room', 'the file system is full')
    }
    return Object.create(store, { mail: { value: Object.create(store.mail, { updateFlags: { value: updateFlags } }) } })
  })
  const letter = `
C+ MAIL FROM:<a@two.test>\\r\\nRCPT TO:<bob@one.test>\\r\\nDATA\\r\\n
S: 250 *
S: 250 *
S: 354 *
C+ Subject: x\\r\\n\\r\\ntext\\r\\n.\\r\\n
S: 250 *`
  await playDialogue(`@service lmtp\nS: 220 *\nC: LHLO client.test\nS...${letter.repeat(letters)}\n`, host)
})

afterEach(() => host[Symbol.asyncDispose]())

const login = `@service pop3s
S: +OK *
C: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=
S: +OK *
`

it('behind the fiftieth message came an -ERR, which answered whatever was asked next', async () => {
  const fetch = (_: unknown, at: number) => `C: RETR ${at + 1}\nS: +OK *\nS...\n`
  await playDialogue(`${login}${Array.from({ length: letters }, fetch).join('')}C: NOOP\nS: +OK\n`, host)
})

it('what was fetched could not be deleted', async () => {
  await playDialogue(
    `${login}C: RETR 1
S: +OK *
S...
C: DELE 1
S: +OK *
C: QUIT
S: +OK 1 message deleted, bye
`,
    host,
  )
})

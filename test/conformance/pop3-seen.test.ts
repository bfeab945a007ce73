/** What POP3 makes of \Seen: what was fetched is read in IMAP too, and what was read costs no write. */
import { type MailboxId, type MailStore, systemFlags } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import { type Host, openHost } from './host.ts'

let host: Host
let marked: (readonly (readonly [number, number])[])[]

beforeEach(async () => {
  marked = []
  host = await openHost(async (clock) => {
    const store = createMemoryStore({ clock, random: seededRandom(2) })
    const updateFlags: MailStore['updateFlags'] = (mailbox, change, acting) => {
      marked.push([...change.uids.ranges()])
      return store.mail.updateFlags(mailbox, change, acting)
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
  await playDialogue(`@service lmtp\nS: 220 *\nC: LHLO client.test\nS...${letter.repeat(3)}\n`, host)
})

afterEach(() => host[Symbol.asyncDispose]())

async function fetchByPop3(...numbers: number[]): Promise<void> {
  const login = `@service pop3s\nS: +OK *\nC: AUTH PLAIN AGJvYkBvbmUudGVzdABzZWNyZXQ=\nS: +OK *\n`
  const fetch = numbers.map((number) => `C: RETR ${number}\nS: +OK *\nS...\n`).join('')
  await playDialogue(`${login}${fetch}C: QUIT\nS: +OK *\n`, host)
}

it('what POP3 has fetched is read in IMAP', async () => {
  await fetchByPop3(1, 3)
  const { directory, mail } = host.store
  const bob = await directory.accountByLogin('bob@one.test')
  const inbox = bob && (await mail.mailboxByName(bob.id, 'INBOX'))
  const { flags } = await mail.snapshot(inbox?.id as MailboxId)
  expect([...flags].map((bits) => (bits & systemFlags['\\Seen']) !== 0)).toEqual([true, false, true])
})

it('each poll wrote \\Seen of everything that is left on the server', async () => {
  await fetchByPop3(1, 2)
  expect(marked).toEqual([[[1, 2]]])
  await fetchByPop3(1, 2)
  await fetchByPop3(1, 2, 3)
  expect(marked).toEqual([[[1, 2]], [[3, 3]]])
})

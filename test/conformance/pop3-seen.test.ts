/** What POP3 makes of \Seen: what was fetched is read in IMAP too, and what was read costs no write. */
import { type MailboxId, systemFlags } from '@pennypost/model'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import type { Host } from './host.ts'
import { login, openMaildrop } from './maildrop.ts'

let host: Host
let marked: (readonly (readonly [number, number])[])[]

beforeEach(async () => {
  marked = []
  host = await openMaildrop(3, (own) => (mailbox, change, acting) => {
    marked.push([...change.uids.ranges()])
    return own(mailbox, change, acting)
  })
})

afterEach(() => host[Symbol.asyncDispose]())

async function fetchByPop3(...numbers: number[]): Promise<void> {
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

/** What a POP3 client sees where \Seen cannot be written, as on a full disk: mail can be fetched and deleted all the same. */
import { StoreError } from '@pennypost/model'
import { afterEach, beforeEach, it } from 'vitest'
import { playDialogue } from './dialogue.ts'
import type { Host } from './host.ts'
import { login, openMaildrop } from './maildrop.ts'

/** More of them than \Seen are written in one go. */
const letters = 50
let host: Host

beforeEach(async () => {
  host = await openMaildrop(letters, () => async () => {
    throw new StoreError('no-room', 'the file system is full')
  })
})

afterEach(() => host[Symbol.asyncDispose]())

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

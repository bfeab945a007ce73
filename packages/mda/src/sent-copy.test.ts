import { accountId, mailboxId, uid } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { sentCopyNotes, takeSentCopy } from './sent-copy.ts'

const filed = { account: accountId(7), mailbox: mailboxId(3), uid: uid(12) }

function open() {
  return createMemoryStore({ clock: virtualClock(), random: seededRandom(1) }).memory
}

test('a copy is replaced once, within an hour, by its Message-ID', async () => {
  const memory = open()
  await memory.note(sentCopyNotes(filed, 'a@b', 1000))
  expect(await takeSentCopy(memory, accountId(8), 'a@b', 1000)).toBeUndefined()
  expect(await takeSentCopy(memory, accountId(7), 'c@d', 1000)).toBeUndefined()
  expect(await takeSentCopy(memory, accountId(7), 'a@b', 3_600_999)).toEqual({ mailbox: 3, uid: 12 })
  expect(await takeSentCopy(memory, accountId(7), 'a@b', 3_600_999)).toBeUndefined()
  await memory.note(sentCopyNotes(filed, 'a@b', 1000))
  expect(await takeSentCopy(memory, accountId(7), 'a@b', 3_601_000)).toBeUndefined()
})

test('a message without Message-ID has no other copy', async () => {
  const memory = open()
  expect(sentCopyNotes(filed, '', 1000)).toEqual([])
  expect(await takeSentCopy(memory, accountId(7), '', 1000)).toBeUndefined()
})

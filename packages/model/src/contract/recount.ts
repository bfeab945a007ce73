/** Counts everything anew, by reading, and compares it with what the engine keeps. */
import { expect } from 'vitest'
import { firstKeywordBit, hasBit, systemFlags } from '../flags.ts'
import type { Mailbox } from '../ports/mail-store.ts'
import type { Store } from '../ports/store.ts'
import { UidSet } from '../uid-set.ts'

export async function recount(store: Store): Promise<void> {
  for (const account of await store.directory.accounts()) {
    const usage = { octets: 0, messages: 0 }
    for (const mailbox of await store.mail.mailboxes(account.id)) {
      expect(await store.mail.mailbox(mailbox.id)).toEqual(mailbox)
      const size = await recountMailbox(store, mailbox)
      usage.octets += size
      usage.messages += mailbox.messages
    }
    expect(await store.directory.usage(account.id)).toEqual(usage)
  }
}

async function recountMailbox(store: Store, mailbox: Mailbox): Promise<number> {
  const snapshot = await store.mail.snapshot(mailbox.id)
  const uids = [...snapshot.uids]
  const flags = [...snapshot.flags]
  const lacking = (flag: number) => flags.filter((bits) => (bits & flag) === 0).length
  const rows = (await Array.fromAsync(store.mail.fetch(mailbox.id, UidSet.ofSorted(uids), {}))).flat()
  const size = rows.reduce((sum, row) => sum + row.size, 0)
  expect(snapshot.mailbox).toEqual(mailbox)
  expect(mailbox).toMatchObject({
    messages: uids.length,
    unseen: lacking(systemFlags['\\Seen']),
    deleted: uids.length - lacking(systemFlags['\\Deleted']),
    size,
  })
  expect(rows.map((row) => row.uid)).toEqual(uids)
  expect(uids).toEqual([...new Set(uids)].sort((a, b) => a - b))
  expect(Math.max(0, ...uids)).toBeLessThan(mailbox.uidNext)
  expect(Math.max(0, ...snapshot.modSeqs)).toBeLessThanOrEqual(mailbox.highestModSeq)
  for (const bits of flags) {
    for (let bit = 5; bit < 53; bit++) {
      if (hasBit(bits, bit)) expect(mailbox.keywords[bit - firstKeywordBit]).toBeTruthy()
    }
  }
  return size
}

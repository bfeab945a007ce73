import { type FetchedMessage, type MailboxId, type MailStore, uid } from '@pennypost/model'
import { expect, test } from 'vitest'
import { Columns } from './columns.ts'
import type { KnownMailbox } from './read-on.ts'

/** What the store says of a message: all of it follows from its UID. */
const rowOf = (number: number) => ({
  uid: uid(number),
  internalDate: { at: number * 1000, offsetMinutes: -number },
  savedAt: number * 2000,
  size: number + 0.5,
  index: { sentAt: number % 2 === 0 ? undefined : number * 3000, sentDay: number % 2 === 0 ? undefined : 20260101 },
})

test('what is known of messages outlives those around it that are expunged', async () => {
  const open = { mailbox: { id: 1 as MailboxId }, uids: new Uint32Array(0), count: 0 }
  const hold = (numbers: readonly number[]): KnownMailbox =>
    Object.assign(open, { uids: Uint32Array.from(numbers), count: numbers.length })
  const asked: string[] = []
  const mail: Pick<MailStore, 'fetch'> = {
    async *fetch(_, uids) {
      asked.push(`${uids}`)
      const here = Array.from(open.uids).filter((number) => uids.has(number))
      yield here.map(rowOf) as Partial<FetchedMessage>[] as FetchedMessage[]
    },
  }
  const columns = new Columns(mail as MailStore, open)
  const all = Array.from({ length: 1100 }, (_, at) => at + 1)
  hold(all)
  await columns.upToDate()
  const rest = all.filter((number) => number % 25 === 0)
  hold([...rest, 1101])
  await columns.upToDate()
  expect(columns.count).toBe(rest.length + 1)
  expect(asked).toEqual(['1:1100', '1101'])
  let place = -1
  for (const number of [...rest, 1101]) {
    place = columns.placeOf(number, place + 1)
    const row = { size: 0, internalDate: { at: 0, offsetMinutes: 0 }, savedAt: 0, sentDay: null }
    columns.describe(place, row)
    const { internalDate, savedAt, size, index } = rowOf(number)
    expect(row).toEqual({ internalDate, savedAt, size, sentDay: index.sentDay ?? null })
    expect(columns.sentAt[place]).toBe(index.sentAt ?? Number.NaN)
  }
  expect(columns.placeOf(1, 0)).toBe(-1)
})

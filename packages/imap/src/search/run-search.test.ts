import { UidSet } from '@pennypost/model'
import { expect, test } from 'vitest'
import type { Session } from '../session/session.ts'
import { runSearch } from './run-search.ts'

test('a search among a few messages looked at every message of the mailbox', async () => {
  const uids = Uint32Array.from({ length: 10_000 }, (_, index) => 2 * index + 1)
  let looks = 0
  const flags = new Proxy([] as number[], {
    get(_, index) {
      looks++
      return Number(index) % 2
    },
  })
  const lowerBound = (uid: number): number => uids.findIndex((each) => each >= uid)
  const open = { uids, count: uids.length, flags, modSeqs: flags, columns: undefined, lowerBound }
  // Of the last message the session was not told.
  const session = { selected: { open, lastUid: 19_997 } } as unknown as Session
  const among = UidSet.ofRanges([
    [4, 8],
    [10_001, 10_001],
    [19_995, 30_000],
  ])
  expect([...(await runSearch(session, { key: 'flags', set: 1, clear: 0 }, among))]).toEqual([7, 19_995])
  expect(looks).toBe(2 * 5)
})

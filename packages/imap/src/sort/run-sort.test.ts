import { UidSet } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import type { Session } from '../session/session.ts'
import { runSort, sortIn } from './run-sort.ts'
import type { SortCriterion } from './sort-key.ts'

function sessionOf(uids: Uint32Array): Session {
  const columns = {
    upToDate: async () => {},
    placeOf: (uid: number) => uids.indexOf(uid),
    ranks: async () => ({ upTo: uids.length, uids, ranks: uids.map((uid) => (uid * 7) % 5) }),
  }
  return { selected: { open: { uids, count: uids.length, columns } } } as unknown as Session
}

test('for each message that came all of a sorted result was compared', async () => {
  const count = 10_000
  const session = sessionOf(Uint32Array.from({ length: count }, (_, index) => index + 1))
  let compared = 0
  const number = (_: unknown, place: number): number => {
    compared++
    return place % 100
  }
  const criteria: SortCriterion[] = [{ key: { name: 'SIZE', number }, reverse: true }]
  const all = UidSet.ofRanges([[1, count]])
  const sorted = await runSort(session, all, criteria)
  const come = UidSet.of(5, 9999)
  const before = sorted.filter((uid) => !come.has(uid))
  compared = 0
  expect(await sortIn(session, before, come, criteria)).toEqual(sorted)
  expect(compared).toBeLessThan(50)
})

test('what comes goes where it would stand if all were sorted', async () => {
  const random = seededRandom(3)
  const below = (n: number): number => Math.floor(random.fraction() * n)
  for (let run = 0; run < 100; run++) {
    const uids = Uint32Array.from({ length: 30 }, (_, index) => index * 2 + 1)
    const session = sessionOf(uids)
    const sizes = Array.from(uids, () => below(4))
    const criteria: SortCriterion[] = [
      { key: { name: 'SIZE', number: (_, place) => sizes[place] as number }, reverse: below(2) === 0 },
      { key: { name: 'SUBJECT', field: 'baseSubject' }, reverse: below(2) === 0 },
    ]
    const come = UidSet.from(Array.from({ length: 5 }, () => uids[below(30)] as number))
    const sorted = await runSort(session, UidSet.ofSorted([...uids]), criteria)
    const before = sorted.filter((uid) => !come.has(uid))
    expect(await sortIn(session, before, come, criteria)).toEqual(sorted)
  }
})

test('what has come into a sorted result has no place in it when another has gone that it would be compared with', async () => {
  const session = sessionOf(Uint32Array.of(1, 3))
  const criteria: SortCriterion[] = [{ key: { name: 'SIZE', number: () => 1 }, reverse: false }]
  expect(await sortIn(session, [1, 2], UidSet.of(3), criteria)).toBeUndefined()
})

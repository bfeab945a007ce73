import type { AccountId } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { MaildropLocks } from './locks.ts'

const account = 1 as AccountId

function setUp() {
  const clock = virtualClock(0)
  const deadline = { after: clock.after, signal: () => new AbortController().signal }
  const locks = new MaildropLocks({ clock, deadline, takeoverMs: 60_000, waitMs: 5000 })
  const evicted: string[] = []
  const holder = (name: string) => ({ lastActive: clock.elapsed(), evicted: () => void evicted.push(name) })
  const got: string[] = []
  const take = async (name: string): Promise<Disposable | undefined> => {
    const lock = await locks.take(account, holder(name))
    got.push(lock ? name : `${name} not`)
    return lock
  }
  return { clock, evicted, got, take }
}

describe('the lock of a maildrop', () => {
  test('goes to those that wait, in the order in which they came', async () => {
    const { got, take } = setUp()
    const first = await take('a')
    const [second, third] = [take('b'), take('c')]
    first?.[Symbol.dispose]()
    const next = await second
    expect(got).toEqual(['a', 'b'])
    // Whoever comes now stands behind those that wait.
    const fourth = take('d')
    next?.[Symbol.dispose]()
    ;(await third)?.[Symbol.dispose]()
    ;(await fourth)?.[Symbol.dispose]()
    expect(got).toEqual(['a', 'b', 'c', 'd'])
    expect(await take('e')).toBeDefined()
  })

  test('is not had from a live session, and waiting ends', async () => {
    const { clock, evicted, got, take } = setUp()
    const first = await take('a')
    const second = take('b')
    await clock.advance(5000)
    expect(await second).toBeUndefined()
    first?.[Symbol.dispose]()
    await (await take('c'))?.[Symbol.dispose]()
    expect(got).toEqual(['a', 'b not', 'c'])
    expect(evicted).toEqual([])
  })

  test('of a session that falls silent meanwhile goes to who waits', async () => {
    const { clock, evicted, got, take } = setUp()
    const first = await take('a')
    await clock.advance(57_000)
    const second = take('b')
    await clock.advance(5000)
    expect(await second).toBeDefined()
    expect(evicted).toEqual(['a'])
    // Too late: it is another's now.
    first?.[Symbol.dispose]()
    const third = take('c')
    await clock.advance(5000)
    expect(await third).toBeUndefined()
    expect(got).toEqual(['a', 'b', 'c not'])
  })
})

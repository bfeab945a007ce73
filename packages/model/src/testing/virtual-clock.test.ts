import { describe, expect, test } from 'vitest'
import { virtualClock } from './virtual-clock.ts'

describe('virtual clock', () => {
  test('moves only when told, now and elapsed together', async () => {
    const clock = virtualClock(1000)
    expect([clock.now(), clock.elapsed()]).toEqual([1000, 0])
    await clock.advance(250)
    expect([clock.now(), clock.elapsed()]).toEqual([1250, 250])
  })

  test('runs timers in order of time, then of their making, each at its own time', async () => {
    const clock = virtualClock(0)
    const ran: string[] = []
    const note = (name: string) => () => void ran.push(`${name}@${clock.now()}`)
    clock.after(20, note('b'))
    clock.after(10, note('a'))
    clock.after(20, note('c'))
    clock.after(31, note('late'))
    await clock.advance(30)
    expect(ran).toEqual(['a@10', 'b@20', 'c@20'])
    expect(clock.nextTimerAt()).toBe(31)
    expect(clock.now()).toBe(30)
  })

  test('runs timers that timers make within the same advance', async () => {
    const clock = virtualClock(0)
    const ran: number[] = []
    const again = (): void => {
      ran.push(clock.now())
      clock.after(10, again)
    }
    clock.after(10, again)
    await clock.advance(35)
    expect(ran).toEqual([10, 20, 30])
  })

  test('a disposed timer does not run, a refreshed one starts anew', async () => {
    const clock = virtualClock(0)
    const ran: string[] = []
    const disposed = clock.after(10, () => ran.push('disposed'))
    disposed[Symbol.dispose]()
    disposed.refresh()
    const refreshed = clock.after(10, () => ran.push(`refreshed@${clock.now()}`))
    await clock.advance(5)
    refreshed.refresh()
    await clock.advance(20)
    expect(ran).toEqual(['refreshed@15'])
    refreshed.refresh()
    await clock.advance(10)
    expect(ran).toEqual(['refreshed@15', 'refreshed@35'])
  })

  test('stands still while work that a timer began holds it', async () => {
    const clock = virtualClock(0)
    const seen: number[] = []
    clock.after(10, async () => {
      using _busy = clock.busy('work')
      expect(clock.held()).toEqual(['work'])
      for (let step = 0; step < 5; step++) await new Promise((resolve) => setImmediate(resolve))
      seen.push(clock.now())
    })
    clock.after(20, () => seen.push(clock.now()))
    await clock.advance(30)
    expect(seen).toEqual([10, 20])
    expect(clock.held()).toEqual([])
  })
})

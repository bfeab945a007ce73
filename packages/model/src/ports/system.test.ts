import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { systemClock, systemDeadline, systemRandom } from './system.ts'

describe.each([
  ['clock', systemClock.after],
  ['deadline', systemDeadline.after],
])('timers of the system’s %s', (_name, after) => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test('run once, after their delay', () => {
    const run = vi.fn()
    after(1000, run)
    vi.advanceTimersByTime(999)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(10_000)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('wait longer than setTimeout can: thirty days', () => {
    const run = vi.fn()
    const month = 30 * 86_400_000
    after(month, run)
    vi.advanceTimersByTime(month - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test.each([5000, 30 * 86_400_000])('start anew when refreshed, with a delay of %d ms', (delay) => {
    const run = vi.fn()
    const timer = after(delay, run)
    vi.advanceTimersByTime(delay - 1)
    timer.refresh()
    vi.advanceTimersByTime(delay - 1)
    expect(run).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })

  test('a disposed one never runs, not even when refreshed', () => {
    const run = vi.fn()
    const timer = after(1000, run)
    timer[Symbol.dispose]()
    timer[Symbol.dispose]()
    timer.refresh()
    vi.advanceTimersByTime(10_000)
    expect(run).not.toHaveBeenCalled()
  })

  test('a delay that is past runs soon', () => {
    const run = vi.fn()
    after(-5, run)
    vi.advanceTimersByTime(1)
    expect(run).toHaveBeenCalledTimes(1)
  })
})

test('a signal fires with its parent', () => {
  const parent = new AbortController()
  const signal = systemDeadline.signal(1_000_000_000_000, parent.signal)
  expect(signal.aborted).toBe(false)
  parent.abort(new Error('drain'))
  expect(signal.aborted).toBe(true)
  expect(signal.reason).toEqual(new Error('drain'))
})

test('a signal fires by itself after its delay', async () => {
  const signal = systemDeadline.signal(1)
  // A signal's timer does not keep the process alive; this one does until it has fired.
  const alive = setInterval(() => {}, 1000)
  await new Promise((resolve) => signal.addEventListener('abort', resolve))
  clearInterval(alive)
  expect((signal.reason as Error).name).toBe('TimeoutError')
})

test('a signal that nobody has any more is not kept for having been a parent', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const parentOfAnother = (): WeakRef<AbortSignal> => {
    const parent = systemDeadline.signal(1_000_000, new AbortController().signal)
    systemDeadline.signal(1_000_000, parent)
    return new WeakRef(parent)
  }
  const parent = parentOfAnother()
  // What was made in a task is held until its end.
  await new Promise((resolve) => setImmediate(resolve))
  collectGarbage()
  expect(parent.deref()).toBeUndefined()
})

test('elapsed time never goes back, whatever the date does', () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const [before, now] = [systemClock.elapsed(), systemClock.now()]
  vi.setSystemTime(now - 3_600_000)
  expect(systemClock.now()).toBe(now - 3_600_000)
  expect(systemClock.elapsed()).toBeGreaterThanOrEqual(before)
  vi.useRealTimers()
})

test('chance gives octets of the length asked for and fractions below one', () => {
  expect(systemRandom.bytes(16)).toHaveLength(16)
  expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16))
  expect(systemRandom.fraction()).toBeLessThan(1)
})

test('the real clock is held by nobody', () => {
  using busy = systemClock.busy('work')
  expect(busy[Symbol.dispose]).toBeTypeOf('function')
})

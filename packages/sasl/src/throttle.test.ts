import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { ExpiringMap } from './expiring-map.ts'
import { Throttle } from './throttle.ts'

test('counts different attempts, the same one once, and starts anew after a minute', async () => {
  const clock = virtualClock()
  const throttle = new Throttle(clock, { perMinute: 3, maxTracked: 10 })
  const charge = (fingerprint: string): number => throttle.charge('network 192.0.2.1', fingerprint)
  expect(['a', 'b', 'b', 'a', 'c'].map(charge)).toEqual([1, 2, 2, 2, 3])
  expect(['d', 'd', 'a'].map(charge)).toEqual([4, 5, 3])
  await clock.advance(59_999)
  expect(charge('e')).toBe(6)
  await clock.advance(1)
  expect(charge('e')).toBe(1)
})

test('what is taken back was never there', () => {
  const throttle = new Throttle(virtualClock(), { perMinute: 2, maxTracked: 10 })
  throttle.charge('k', 'a')
  throttle.refund('k', 'a')
  expect(throttle.charge('k', 'b')).toBe(1)
  throttle.charge('k', 'c')
  expect(throttle.charge('k', 'd')).toBe(3)
  throttle.refund('k', 'd')
  expect(throttle.charge('k', 'e')).toBe(3)
  throttle.refund('nobody', 'a')
})

test('memory is bounded: the oldest key is forgotten first', async () => {
  const clock = virtualClock()
  const map = new ExpiringMap<number>(clock, { maxAgeMs: 1_000, maxEntries: 2 })
  map.set('a', 1)
  map.set('b', 2)
  map.set('a', 3)
  map.set('c', 4)
  expect([map.get('a'), map.get('b'), map.get('c')]).toEqual([3, undefined, 4])
  await clock.advance(1_000)
  expect([map.get('a'), map.get('c')]).toEqual([undefined, undefined])
})

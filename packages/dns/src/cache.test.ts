import type { DnsAnswer } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { describe, expect, it } from 'vitest'
import { createAnswerCache } from './cache.ts'

const found = (ttlSeconds: number, text = '192.0.2.1'): DnsAnswer<'A'> => ({
  status: 'found',
  records: [text],
  ttlSeconds,
  authentic: false,
})

describe('the answer cache', () => {
  it('gives an answer out with what is left of its TTL, and not after', async () => {
    const clock = virtualClock()
    const cache = createAnswerCache(clock, { entries: 10, octets: 10_000 })
    cache.put('A one.test', found(300), 300)
    await clock.advance(100_000)
    expect(cache.get('A one.test')).toMatchObject({ ttlSeconds: 200 })
    await clock.advance(199_999)
    expect(cache.get('A one.test')).toMatchObject({ ttlSeconds: 1 })
    await clock.advance(1)
    expect(cache.get('A one.test')).toBeUndefined()
    expect([cache.entries, cache.octets]).toEqual([0, 0])
  })

  it('keeps nothing whose time is zero', () => {
    const cache = createAnswerCache(virtualClock(), { entries: 10, octets: 10_000 })
    cache.put('A one.test', found(0), 0)
    expect(cache.entries).toBe(0)
  })

  it('drops what was unused for longest when there are too many', () => {
    const cache = createAnswerCache(virtualClock(), { entries: 2, octets: 10_000 })
    cache.put('a', found(60), 60)
    cache.put('b', found(60), 60)
    cache.get('a')
    cache.put('c', found(60), 60)
    expect(['a', 'b', 'c'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true])
  })

  it('stays within its octets, and takes nothing that alone exceeds them', () => {
    const cache = createAnswerCache(virtualClock(), { entries: 1000, octets: 5000 })
    for (let i = 0; i < 100; i++) cache.put(`TXT ${i}.test`, found(60, 'x'.repeat(500)), 60)
    expect(cache.octets).toBeLessThanOrEqual(5000)
    expect(cache.entries).toBeGreaterThan(3)
    const before = cache.entries
    cache.put('TXT huge.test', found(60, 'x'.repeat(5000)), 60)
    expect(cache.get('TXT huge.test')).toBeUndefined()
    expect(cache.entries).toBe(before)
  })

  it('counts an entry once when it is put twice', () => {
    const cache = createAnswerCache(virtualClock(), { entries: 10, octets: 10_000 })
    cache.put('a', found(60), 60)
    const once = cache.octets
    cache.put('a', found(30), 30)
    expect(cache.octets).toBe(once)
    expect(cache.get('a')).toMatchObject({ ttlSeconds: 30 })
  })
})

import { seededRandom } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { pooledRandom } from './random-pool.ts'

it('gives each octet of its source once, and asks seldom', () => {
  let asked = 0
  const source = seededRandom(3)
  const pool = pooledRandom({
    bytes(count) {
      asked++
      return source.bytes(count)
    },
    fraction: () => 0.5,
  })
  const drawn = new Set<string>()
  const ids: Buffer[] = []
  for (let at = 0; at < 5000; at++) {
    const id = pool.bytes(8)
    expect(id).toHaveLength(8)
    drawn.add(id.toString('hex'))
    ids.push(id)
  }
  expect(drawn.size).toBe(5000)
  // Nothing that was given out changes when the pool is wiped.
  expect(new Set(ids.map((id) => id.toString('hex'))).size).toBe(5000)
  expect(asked).toBeLessThan(15)
  expect(pool.bytes(5000)).toHaveLength(5000)
  expect(pool.fraction()).toBe(0.5)
})

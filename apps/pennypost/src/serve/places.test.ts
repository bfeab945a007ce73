import { accountId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { AccountPlaces } from './places.ts'

const alice = accountId(1)

test('sessions that send were not among those that a suspension ends, and take no place of those that read', () => {
  const places = new AccountPlaces(1)
  const ended: string[] = []
  using _sending = places.follow(alice, () => ended.push('sending'))
  const reading = places.take(alice, () => ended.push('reading'))
  expect(reading).toBeDefined()
  expect(places.take(alice, () => {})).toBeUndefined()
  expect(places.endAll(alice)).toBe(2)
  expect(ended).toEqual(['reading', 'sending'])
})

test('a place given back twice took away that of the next session', () => {
  const places = new AccountPlaces(0)
  const first = places.take(alice, () => {})
  first?.[Symbol.dispose]()
  using _second = places.take(alice, () => {})
  first?.[Symbol.dispose]()
  expect(places.endAll(alice)).toBe(1)
})

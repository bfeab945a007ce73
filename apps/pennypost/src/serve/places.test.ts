import { accountId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { AccountPlaces } from './places.ts'

const alice = accountId(1)
const root = accountId(2)

test('sessions that send were not among those that a suspension ends, and take no place of those that read', () => {
  const places = new AccountPlaces(1)
  const ended: string[] = []
  using _sending = places.follow(alice, alice, () => ended.push('sending'))
  const reading = places.take(alice, alice, () => ended.push('reading'))
  expect(reading).toBeDefined()
  expect(places.take(alice, alice, () => {})).toBeUndefined()
  expect(places.endAll(alice)).toBe(2)
  expect(ended).toEqual(['reading', 'sending'])
})

test('a place given back twice took away that of the next session', () => {
  const places = new AccountPlaces(0)
  const first = places.take(alice, alice, () => {})
  first?.[Symbol.dispose]()
  using _second = places.take(alice, alice, () => {})
  first?.[Symbol.dispose]()
  expect(places.endAll(alice)).toBe(1)
})

test('an administrator who was suspended went on in the sessions of those for whom it acted', () => {
  const places = new AccountPlaces(2)
  const ended: string[] = []
  using _reading = places.take(alice, root, () => ended.push('reading'))
  using _sending = places.follow(alice, root, () => ended.push('sending'))
  expect(places.endAll(root)).toBe(2)
  expect(places.endAll(alice)).toBe(2)
  expect(ended).toEqual(['reading', 'sending', 'reading', 'sending'])
  expect(places.take(root, root, () => {})).toBeDefined()
})

test('who had left was ended as one who acts for another', () => {
  const places = new AccountPlaces(0)
  places.take(alice, root, () => {})?.[Symbol.dispose]()
  expect(places.endAll(root)).toBe(0)
})

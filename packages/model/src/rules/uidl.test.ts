import { expect, test } from 'vitest'
import { uid, uidValidity } from '../ids.ts'
import { isUidl, uidlOf } from './uidl.ts'

test('a UIDL of ours is one by RFC 1939 §7, at the largest numbers too', () => {
  const largest = uidlOf(uidValidity(2 ** 32 - 1), uid(2 ** 32 - 1))
  expect(largest).toBe('4294967295.4294967295')
  expect(isUidl(largest)).toBe(true)
})

test('1 to 70 characters without blanks', () => {
  expect([isUidl('!'), isUidl('~'.repeat(70))]).toEqual([true, true])
  for (const bad of ['', '~'.repeat(71), 'a b', 'a\x7f', '\u00e4', 'a\r\n']) expect(isUidl(bad)).toBe(false)
})

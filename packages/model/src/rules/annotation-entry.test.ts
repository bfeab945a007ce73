import { describe, expect, test } from 'vitest'
import { annotationEntry, isPrivateEntry } from './annotation-entry.ts'

describe('names of annotations', () => {
  test.each([
    ['/shared/comment', '/shared/comment'],
    ['/Private/Vendor/X/a b', '/private/vendor/x/a b'],
    ['/SHARED/x', '/shared/x'],
  ])('%s is kept as %s', (name, entry) => {
    expect(annotationEntry(name)).toBe(entry)
  })

  test.each([
    '',
    '/',
    '/shared',
    '/shared/',
    '/private',
    'shared/x',
    '/other/x',
    '/shared//x',
    '/shared/x/',
    '/shared/a*',
    '/shared/a%b',
    '/shared/ä',
    '/shared/a\tb',
    `/shared/${'x'.repeat(250)}`,
    `/shared${'/x'.repeat(32)}`,
  ])('%s is refused', (name) => {
    expect(annotationEntry(name)).toBeUndefined()
  })

  test('are private or shared', () => {
    expect(isPrivateEntry('/private/x')).toBe(true)
    expect(isPrivateEntry('/shared/private/x')).toBe(false)
  })
})

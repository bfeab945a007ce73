import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inboxSpelling, mailboxName, mailboxNameLimits, superiors } from './mailbox-name.ts'

describe('mailboxName', () => {
  test.each([
    ['Work/2026', 'Work/2026'],
    ['inbox', 'INBOX'],
    ['InBox/Sub', 'INBOX/Sub'],
    ['inboxes', 'inboxes'],
    ['A\u0308rger', '\u00c4rger'],
    ['with space & sign', 'with space & sign'],
    ['...', '...'],
    ['\u{1F4EE}', '\u{1F4EE}'],
  ])('%j is %j', (name, expected) => {
    expect(mailboxName(name)).toBe(expected)
  })

  test.each([
    '',
    '/',
    '/a',
    'a/',
    'a//b',
    '.',
    'a/..',
    'a/./b',
    'a*',
    '%',
    'a\tb',
    'a\r\nb',
    '\x7f',
    '\x85',
    'a\u2028',
    '\ud800',
  ])('%j is not allowed', (name) => {
    expect(mailboxName(name)).toBeUndefined()
  })

  test('has at most so many octets and levels', () => {
    const { octets, levels } = mailboxNameLimits
    expect(mailboxName('a'.repeat(octets))).toBeDefined()
    expect(mailboxName('a'.repeat(octets + 1))).toBeUndefined()
    expect(mailboxName('\u00e4'.repeat(octets / 2))).toBeDefined()
    expect(mailboxName('\u00e4'.repeat(octets / 2 + 1))).toBeUndefined()
    expect(mailboxName(new Array(levels).fill('a').join('/'))).toBeDefined()
    expect(mailboxName(new Array(levels + 1).fill('a').join('/'))).toBeUndefined()
  })

  test('an allowed name stays itself', () => {
    const level = fc.oneof(fc.constantFrom('inbox', 'a', '..', 'A\u0308'), fc.string({ unit: 'binary', maxLength: 8 }))
    fc.assert(
      fc.property(fc.array(level, { maxLength: 4 }), (parts) => {
        const name = mailboxName(parts.join('/'))
        if (name !== undefined) expect(mailboxName(name)).toBe(name)
      }),
      { seed: 1, numRuns: 500 },
    )
  })
})

test('only INBOX is spelt in one way', () => {
  expect([inboxSpelling('iNbOx'), inboxSpelling('inbox/a'), inboxSpelling('a/inbox')]).toEqual([
    'INBOX',
    'INBOX/a',
    'a/inbox',
  ])
})

test('superiors come from the top', () => {
  expect(superiors('a/b/c')).toEqual(['a', 'a/b'])
  expect(superiors('a')).toEqual([])
})

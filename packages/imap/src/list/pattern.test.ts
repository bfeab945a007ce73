import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createMatcher, namesPerTurn } from './pattern.ts'

describe('patterns of LIST', () => {
  const known: [string, string[], string[]][] = [
    ['*', ['INBOX', 'a', 'a/b/c'], []],
    ['%', ['INBOX', 'a'], ['a/b', 'a/']],
    ['a/%', ['a/b'], ['a', 'a/b/c', 'b/a']],
    ['a*c', ['ac', 'a/b/c', 'abc'], ['a', 'acd']],
    ['%/%', ['a/b'], ['a', 'a/b/c']],
    ['*%', ['a/b', 'a'], []],
    ['inbox', ['INBOX'], ['inbox', 'INBOXES']],
    ['InBoX/%', ['INBOX/a'], ['INBOX']],
    ['Inb%', ['Inbound', 'INBOX'], ['inbox', 'INBOXES']],
    ['*x/A', ['INBOX/A'], ['INBOX/a', 'inbox']],
    ['ü%', ['über'], ['u']],
  ]
  for (const [pattern, yes, no] of known) {
    test(pattern, () => {
      const matches = createMatcher([pattern])
      expect([...yes, ...no].filter(matches)).toEqual(yes)
    })
  }

  test('a pattern with a dotless i matched INBOX', () => {
    expect(['INBOX', 'INBOX/a', 'ınbox'].filter(createMatcher(['ın%', '*ınbox/*']))).toEqual(['ınbox'])
  })

  test('one of several is enough', () => {
    expect(['a', 'b', 'c'].filter(createMatcher(['a', 'c']))).toEqual(['a', 'c'])
  })

  test('agrees with a regular expression', () => {
    const unit = fc.constantFrom('a', 'b', '/', '%', '*')
    fc.assert(
      fc.property(
        fc.string({ unit, maxLength: 8 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 }),
        (pattern, name) => {
          const source = pattern.replaceAll('*', '.*').replaceAll('%', '[^/]*')
          expect(createMatcher([pattern])(name)).toBe(new RegExp(`^${source}$`).test(name))
        },
      ),
      { seed: 5, numRuns: 1000 },
    )
  })

  test('a pattern of many wildcards holds nobody up: others get their turn after few names', () => {
    expect(namesPerTurn(['*'])).toBe(500)
    expect(namesPerTurn(['*a'.repeat(400)])).toBe(2)
    expect(namesPerTurn(['*a'.repeat(20_000), '%'])).toBe(1)
  })

  test('many wildcards cost no more than the product of the lengths', () => {
    expect(createMatcher(['*a'.repeat(400)])('a'.repeat(399))).toBe(false)
  })
})

import { describe, expect, test } from 'vitest'
import { accountId } from '../ids.ts'
import { allRights, changedRights, flagKinds, parseRights, rightsOf, showRights } from './rights.ts'

const [alice, bob] = [accountId(1), accountId(2)]

describe('rights', () => {
  test.each([
    ['', ''],
    ['lr', 'lr'],
    ['rl', 'lr'],
    ['llrr', 'lr'],
    ['lrswida', 'lrswitea'],
    ['c', 'kx'],
    ['dte', 'te'],
    ['aetxkpiwsrl', allRights],
  ])('%s is read as %s', (text, rights) => {
    expect(parseRights(text)).toBe(rights)
  })

  test.each(['q', 'lrQ', 'L', 'l r', '0', 'n'])('%s is refused', (text) => {
    expect(parseRights(text)).toBeUndefined()
  })

  test.each([
    ['lr', 'lr'],
    ['', ''],
    ['k', 'kc'],
    ['x', 'xc'],
    ['e', 'ed'],
    [allRights, 'lrswipkxteacd'],
  ])('%s is shown as %s, with the obsolete ones', (rights, shown) => {
    expect(showRights(rights)).toBe(shown)
  })

  test('those of anyone and of the account are joined, negative ones taken away', () => {
    const entries = [
      { grantee: 'anyone', negative: false, rights: 'lr' },
      { grantee: alice, negative: false, rights: 'swi' },
      { grantee: bob, negative: false, rights: allRights },
      { grantee: bob, negative: true, rights: 'ra' },
      { grantee: 'anyone', negative: true, rights: 's' },
    ] as const
    expect(rightsOf(alice, entries)).toBe('lrwi')
    expect(rightsOf(bob, entries)).toBe('lwipkxte')
    expect(rightsOf(accountId(3), entries)).toBe('lr')
    expect(rightsOf(alice, [])).toBe('')
  })

  test('change by replacing, adding and removing', () => {
    expect(changedRights('lrs', 'replace', 'i')).toBe('i')
    expect(changedRights('ri', 'add', 'ls')).toBe('lrsi')
    expect(changedRights('lrsi', 'remove', 'la')).toBe('rsi')
  })

  test('say which flags may be set', () => {
    expect(flagKinds('lrs')).toEqual({ seen: true, deleted: false, others: false })
    expect(flagKinds('wt')).toEqual({ seen: false, deleted: true, others: true })
  })
})

import { expect, test } from 'vitest'
import { Rounds } from './rounds.ts'

test('who searched once waited for a page of every search that another account had under way', async () => {
  const rounds = new Rounds()
  const pages: string[] = []
  const search = async (account: number, name: string, count: number): Promise<void> => {
    for (let page = 0; page < count; page++) {
      await rounds.turn(account)
      pages.push(name)
    }
  }
  const many = Array.from({ length: 10 }, (_, index) => search(1, `a${index}`, 2))
  await search(2, 'b', 2)
  expect(pages).toEqual(['a0', 'b', 'a1', 'b'])
  await Promise.all(many)
  expect(pages).toHaveLength(22)
  // The searches of one account take turns too.
  expect(pages.indexOf('a9')).toBeLessThan(pages.lastIndexOf('a0'))
  await search(3, 'c', 1)
  expect(pages.at(-1)).toBe('c')
})

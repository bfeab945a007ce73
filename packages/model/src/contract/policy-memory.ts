/** The contract of `PolicyMemory`. */
import { describe, expect } from 'vitest'
import type { MemoryNote } from '../ports/policy-memory.ts'
import { accept, type OpenEngine, refusal, worldTest } from './engine.ts'

const note = (key: string, at: number, expiresAt: number, value?: string): MemoryNote => ({
  kind: 'greylist',
  key,
  at,
  expiresAt,
  ...(value === undefined ? {} : { value }),
})

export function describePolicyMemory(name: string, open: OpenEngine): void {
  describe(`${name}: PolicyMemory`, () => {
    const it = worldTest(open)

    it('counts notes and keeps first and last time', async ({ store: { memory } }) => {
      await memory.note([note('k', 1000, 5000), note('k', 1500, 5000)])
      await memory.note([note('k', 2000, 5000)])
      expect(await memory.recall('greylist', 'k', 2000)).toEqual({ value: '', count: 3, firstAt: 1000, lastAt: 2000 })
    })

    it('a note may stand for several', async ({ store: { memory } }) => {
      await memory.note([{ ...note('k', 1000, 5000), count: 7 }])
      await memory.note([{ ...note('k', 2000, 5000), count: 3 }])
      expect((await memory.recall('greylist', 'k', 2000))?.count).toBe(10)
      await memory.note([{ ...note('k', 5000, 9000), count: 2 }])
      expect((await memory.recall('greylist', 'k', 5000))?.count).toBe(2)
    })

    it('keeps kinds and keys apart', async ({ store: { memory } }) => {
      await memory.note([note('k', 1000, 5000), { ...note('k', 1000, 5000), kind: 'rate' }, note('K', 1000, 5000)])
      await memory.forget('greylist', 'k')
      await memory.forget('greylist', 'never')
      expect(await memory.recall('greylist', 'k', 1000)).toBeUndefined()
      expect((await memory.recall('rate', 'k', 1000))?.count).toBe(1)
      expect((await memory.recall('greylist', 'K', 1000))?.count).toBe(1)
      expect(await memory.recall('login', 'k', 1000)).toBeUndefined()
    })

    it('a value is replaced by a new one and kept without', async ({ store: { memory } }) => {
      const value = async () => (await memory.recall('greylist', 'k', 1000))?.value
      await memory.note([note('k', 1000, 5000, 'one')])
      await memory.note([note('k', 1000, 5000)])
      expect(await value()).toBe('one')
      await memory.note([note('k', 1000, 5000, '')])
      expect(await value()).toBe('')
    })

    it('forgets at the expiry, and begins anew with the next note', async ({ store: { memory } }) => {
      await memory.note([note('k', 1000, 5000, 'old')])
      expect(await memory.recall('greylist', 'k', 4999)).toBeDefined()
      expect(await memory.recall('greylist', 'k', 5000)).toBeUndefined()
      await memory.note([note('k', 5000, 9000)])
      expect(await memory.recall('greylist', 'k', 5000)).toEqual({ value: '', count: 1, firstAt: 5000, lastAt: 5000 })
    })

    it('each note sets the expiry', async ({ store: { memory } }) => {
      await memory.note([note('k', 1000, 5000)])
      await memory.note([note('k', 2000, 9000)])
      expect((await memory.recall('greylist', 'k', 8000))?.count).toBe(2)
      await memory.note([note('k', 3000, 4000)])
      expect(await memory.recall('greylist', 'k', 4000)).toBeUndefined()
    })

    it('the last note is the one that came last, whatever its time', async ({ store: { memory } }) => {
      await memory.note([note('k', 2000, 5000), note('k', 1000, 5000)])
      expect(await memory.recall('greylist', 'k', 2000)).toMatchObject({ firstAt: 2000, lastAt: 1000 })
    })

    it('lists what is of one kind, living, in order of key, in pages', async ({ store: { memory } }) => {
      const keys = ['b', 'a', 'Z', 'ü', '\u{1f600}', '\uffee']
      await memory.note(keys.map((key) => note(key, 1000, 5000, `of ${key}`)))
      await memory.note([note('old', 1000, 2000), { ...note('a', 1000, 5000), kind: 'rate' }])
      const all = await memory.list('greylist', 2000, { limit: 100 })
      expect(all.map(({ key }) => key)).toEqual(['Z', 'a', 'b', 'ü', '\uffee', '\u{1f600}'])
      expect(all[1]).toEqual({ key: 'a', value: 'of a', count: 1, firstAt: 1000, lastAt: 1000 })
      const page = await memory.list('greylist', 2000, { limit: 2, after: 'a' })
      expect(page.map(({ key }) => key)).toEqual(['b', 'ü'])
      expect(await memory.list('login', 2000, { limit: 100 })).toEqual([])
    })

    it('prunes what has expired and says how many', async ({ store: { memory } }) => {
      await memory.note([note('a', 1000, 2000), note('b', 1000, 3000), note('c', 1000, 4000)])
      expect(await memory.prune(3000)).toBe(2)
      expect(await memory.prune(3000)).toBe(0)
      expect(await memory.recall('greylist', 'a', 1000)).toBeUndefined()
      expect(await memory.recall('greylist', 'c', 1000)).toBeDefined()
    })

    it('refuses keys and values that are too long, and then notes nothing', async (world) => {
      const { memory } = world.store
      const fine = note('x'.repeat(500), 1000, 5000, 'y'.repeat(1000))
      await memory.note([fine])
      for (const long of [note('x'.repeat(501), 1000, 5000), note('k', 1000, 5000, 'y'.repeat(1001))]) {
        await expect(memory.note([note('other', 1000, 5000), long])).rejects.toEqual(refusal('limit'))
        await expect(accept(world, { memory: [note('other', 1000, 5000), long] })).rejects.toEqual(refusal('limit'))
      }
      expect(await memory.recall('greylist', 'other', 1000)).toBeUndefined()
      expect((await memory.recall('greylist', fine.key, 1000))?.value).toBe(fine.value)
    })
  })
}

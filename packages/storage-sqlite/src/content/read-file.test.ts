import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import { readFileRange } from './read-file.ts'

test('a file that has become shorter gives no octets of a range that it has not whole', async () => {
  const directory = temporaryDirectory()
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'content')
  writeFileSync(path, Buffer.alloc(600_000, 'x'))
  const octets = async (end: number): Promise<number> =>
    Buffer.concat(await Array.fromAsync(readFileRange(path, 100, end))).length
  expect(await octets(600_000)).toBe(599_900)
  await expect(readFileRange(path, 100, 600_001).next()).rejects.toThrow('shorter than it was')
})

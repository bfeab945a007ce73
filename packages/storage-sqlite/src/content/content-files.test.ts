import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import { ContentFiles } from './content-files.ts'

test('a directory that could not be made is made when it is next needed', () => {
  const directory = temporaryDirectory()
  const root = join(directory, 'content')
  try {
    mkdirSync(root)
    const files = new ContentFiles(root)
    rmSync(root, { recursive: true })
    expect(() => files.next()).toThrow()
    mkdirSync(root)
    expect(files.next()).toBe('000001/0')
    expect(files.exists('000001')).toBe(true)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

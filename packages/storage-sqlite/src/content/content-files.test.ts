import fs, { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
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
    expect(existsSync(files.path('000001'))).toBe(true)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

test('large letters went to a directory whose sync had failed', () => {
  const root = temporaryDirectory()
  const { fsyncSync } = fs
  try {
    const files = new ContentFiles(root)
    fs.fsyncSync = () => {
      throw Object.assign(new Error('input/output error'), { code: 'EIO' })
    }
    syncBuiltinESMExports()
    expect(() => files.next()).toThrow('input/output error')
    fs.fsyncSync = fsyncSync
    syncBuiltinESMExports()
    expect(files.next()).toBe('000002/0')
  } finally {
    fs.fsyncSync = fsyncSync
    syncBuiltinESMExports()
    rmSync(root, { recursive: true, force: true })
  }
})

test('what others have put beside the directories is neither swept nor in the way', () => {
  const root = temporaryDirectory()
  try {
    // Both begin as a number does.
    mkdirSync(join(root, '000001.bak'))
    writeFileSync(join(root, '000001.bak', '0'), 'kept by hand')
    writeFileSync(join(root, 'a note.txt'), 'for whoever looks')
    const files = new ContentFiles(root)
    expect(files.sweep(() => false)).toBe(0)
    expect(files.next()).toBe('000001/0')
    expect(readdirSync(join(root, '000001.bak'))).toEqual(['0'])
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})

import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeDirectory } from './make-directory.ts'

describe('makeDirectory', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'pennypost-directory-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  test('makes those above too, and leaves what is there', () => {
    makeDirectory(join(root, 'a', 'b', 'c'), 0o700)
    expect(statSync(join(root, 'a', 'b', 'c')).mode & 0o777).toBe(0o700)
    makeDirectory(join(root, 'a', 'b'), 0o750)
    expect(statSync(join(root, 'a', 'b')).mode & 0o777).toBe(0o700)
  })

  test('a file or a link to nowhere in the way is an error', () => {
    writeFileSync(join(root, 'file'), '')
    symlinkSync(join(root, 'nowhere'), join(root, 'link'))
    expect(() => makeDirectory(join(root, 'file'))).toThrow('EEXIST')
    expect(() => makeDirectory(join(root, 'file', 'x'))).toThrow('ENOTDIR')
    expect(() => makeDirectory(join(root, 'link'))).toThrow('EEXIST')
  })

  // Root may read it all the same.
  test.skipIf(process.getuid?.() === 0)('one was not made where names may be made but not read', () => {
    mkdirSync(join(root, 'drop'), { mode: 0o300 })
    makeDirectory(join(root, 'drop', 'x'))
    expect(existsSync(join(root, 'drop', 'x'))).toBe(true)
  })

  // `backup /proc/x` kept a thread of the server busy for ever, and so did `init --dir` and `data_dir` a process.
  test.skipIf(!existsSync('/proc/self'))('ends where no directory can be made', () => {
    expect(() => makeDirectory('/proc/pennypost/x')).toThrow('ENOENT')
  })
})

import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { syncOwnSync, syncPath, syncPathSync } from './sync-path.ts'

const { fsyncSync } = fs
const { open } = promises

afterEach(() => {
  fs.fsyncSync = fsyncSync
  promises.open = open
  syncBuiltinESMExports()
})

/** Every sync fails like this. */
function failWith(code: string): void {
  const error = Object.assign(new Error(code), { code })
  fs.fsyncSync = () => {
    throw error
  }
  promises.open = async (...args) => Object.assign(await open(...args), { sync: () => Promise.reject(error) })
  syncBuiltinESMExports()
}

test('a backup or an export to a share that knows no sync of directories failed', async () => {
  failWith('EINVAL')
  syncPathSync(tmpdir())
  await syncPath(tmpdir())
})

test('a sync that failed is told', async () => {
  failWith('EIO')
  expect(() => syncPathSync(tmpdir())).toThrow('EIO')
  await expect(syncPath(tmpdir())).rejects.toThrow('EIO')
})

test.each(['EINVAL', 'EACCES'])(
  'a file, or a directory of contents, that could not be synced (%s) was taken for synced',
  async (code) => {
    failWith(code)
    const file = fileURLToPath(import.meta.url)
    expect(() => syncPathSync(file)).toThrow(code)
    await expect(syncPath(file)).rejects.toThrow(code)
    expect(() => syncOwnSync(tmpdir())).toThrow(code)
  },
)

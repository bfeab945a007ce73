import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { syncPath, syncPathSync } from './sync-path.ts'

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

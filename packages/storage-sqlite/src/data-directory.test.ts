import { readdirSync, rmSync } from 'node:fs'
import { silentLog } from '@pennypost/model'
import { expect, onTestFinished, test } from 'vitest'
import { temporaryDirectory } from '../test/temporary-store.ts'
import { openDataDirectory } from './data-directory.ts'

test('a data directory on a disk without a free octet could not be had: its lock wanted a file', () => {
  const path = temporaryDirectory()
  const directory = openDataDirectory(path, silentLog)
  onTestFinished(() => {
    directory[Symbol.dispose]()
    rmSync(path, { recursive: true })
  })
  expect(readdirSync(path).sort()).toEqual(['content', 'lock.db'])
})

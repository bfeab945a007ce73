import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeDirectory } from './make-directory.ts'
import { replaceFile } from './replace-file.ts'
import { syncTree } from './sync-path.ts'
import { lostWithPower } from './testing/index.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pennypost-power-'))
})
afterEach(() => rmSync(root, { recursive: true }))

describe('after a loss of power', () => {
  test('a secret was gone under which app passwords had been made already', async () => {
    const file = join(root, 'secrets', 'urls')
    expect(await lostWithPower(root, () => replaceFile(file, 'one'))).toEqual([])
    expect(await lostWithPower(root, () => replaceFile(file, 'two'))).toEqual([])
    expect(readFileSync(file, 'utf8')).toBe('two')
  })

  test('a data directory was gone with all the mail that had been synced in it', async () => {
    expect(await lostWithPower(root, () => makeDirectory(join(root, 'mail', 'data')))).toEqual([])
  })

  test('what is neither synced nor named by a synced directory may be lost', async () => {
    const [kept, lost] = [join(root, 'kept'), join(root, 'lost')]
    const work = async (): Promise<void> => {
      writeFileSync(lost, 'x')
      mkdirSync(join(kept, 'inner'), { recursive: true })
      writeFileSync(join(kept, 'inner', 'file'), 'x')
      await syncTree(kept)
    }
    expect(await lostWithPower(root, work)).toEqual(['kept', 'lost'])
  })
})

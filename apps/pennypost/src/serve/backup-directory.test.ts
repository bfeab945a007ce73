/** What stands beside the store in a backup; the rest is of the store and of the verb `backup`. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lostWithPower } from '@pennypost/model/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { backUpDirectory } from './backup-directory.ts'

let root: string
let data: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'pennypost-backup-'))
  data = join(root, 'data')
  mkdirSync(join(data, 'secrets'), { recursive: true })
  writeFileSync(join(data, 'secrets', 'srs'), 'new')
  writeFileSync(join(data, 'mail.db'), '')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const backUp = (target: string) =>
  backUpDirectory({ backup: async () => [] }, data, target, { verify: false, onProgress() {} })

test('a backup into the data directory itself was EINVAL', async () => {
  await expect(backUp(data)).rejects.toMatchObject({ reason: 'exists', advice: 'Name another directory.' })
  const inside = join(data, 'secrets', 'x')
  await expect(backUp(inside)).rejects.toThrow(`${inside} lies in what is to be copied.`)
  expect(existsSync(inside)).toBe(false)
  await backUp(join(data, 'saved'))
  expect(readFileSync(join(data, 'saved', 'secrets', 'srs'), 'utf8')).toBe('new')
})

test('files that stood in the directory before were counted as part of the backup', async () => {
  const target = join(root, 'saved')
  mkdirSync(join(target, 'photos'), { recursive: true })
  writeFileSync(join(target, 'photos', 'large'), 'x'.repeat(1000))
  writeFileSync(join(data, 'audit.log'), 'line\n')
  const backup = async () => {
    mkdirSync(join(target, 'content', '00'), { recursive: true })
    writeFileSync(join(target, 'content', '00', '1'), 'letter')
    writeFileSync(join(target, 'mail.db'), 'database')
    return []
  }
  const { octets } = await backUpDirectory({ backup }, data, target, { verify: false, onProgress() {} })
  expect(octets).toBe('new'.length + 'line\n'.length + 'letter'.length + 'database'.length)
})

test('a full disk was "database or disk is full", and nobody knew which', async () => {
  const target = join(root, 'saved')
  const backup = () => Promise.reject(Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' }))
  const full = backUpDirectory({ backup }, data, target, { verify: false, onProgress() {} })
  await expect(full).rejects.toMatchObject({ reason: 'unavailable', message: `The disk of ${target} is full.` })
})

test('a backup that was said to be whole had empty secrets after a loss of power', async () => {
  expect(await lostWithPower(root, () => backUp(join(root, 'saved')))).toEqual([])
})

test('a backup that was there got the secrets of now before it was refused', async () => {
  const target = join(root, 'saved')
  mkdirSync(join(target, 'secrets'), { recursive: true })
  writeFileSync(join(target, 'secrets', 'srs'), 'old')
  writeFileSync(join(target, 'mail.db'), '')
  await expect(backUp(target)).rejects.toThrow(`${target} holds a store or a backup.`)
  expect(readFileSync(join(target, 'secrets', 'srs'), 'utf8')).toBe('old')
})

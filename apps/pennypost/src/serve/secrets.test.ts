/** The secrets of an installation: made once, whole or not at all. */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemRandom } from '@pennypost/model'
import { expect, onTestFinished, test } from 'vitest'
import { loadSecrets } from './secrets.ts'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'pennypost-secrets-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('each is made once, for its owner alone', async () => {
  const data = directory()
  const made = await loadSecrets(data, systemRandom)
  expect(await loadSecrets(data, systemRandom)).toEqual(made)
  expect(statSync(join(data, 'secrets', 'srs')).mode & 0o777).toBe(0o600)
})

test('a first start that ended in the middle of making one kept every other from starting', async () => {
  const data = directory()
  const endsAtSecond = { ...systemRandom, bytes: endingAt(2) }
  await expect(loadSecrets(data, endsAtSecond)).rejects.toThrow('ended')
  mkdirSync(join(data, 'secrets'), { recursive: true })
  writeFileSync(join(data, 'secrets', 'urls.new'), 'abc')
  const made = await loadSecrets(data, systemRandom)
  expect(Object.values(made).map(({ length }) => length)).toEqual([32, 32, 32])
  expect(await loadSecrets(data, systemRandom)).toEqual(made)
})

/** Gives octets until it is asked for the last time. */
function endingAt(last: number): (count: number) => Buffer {
  let asked = 0
  return (count) => {
    asked += 1
    if (asked === last) throw new Error('ended')
    return systemRandom.bytes(count)
  }
}

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lostWithPower } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { generateKeys } from './generate-keys.ts'
import { freshSelectors, retireKey } from './retire-key.ts'

const may = Date.UTC(2026, 4, 1)

function keyDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-keys-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  return directory
}

test('a second rotation in one month has names of its own', async () => {
  const directory = keyDirectory()
  const names = async () => (await freshSelectors(directory, 'one.test', may)).map(({ name }) => name)
  expect(await names()).toEqual(['202605r', '202605e'])
  await generateKeys(directory, 'one.test', [{ name: '202605e', algorithm: 'ed25519' }])
  expect(await names()).toEqual(['202605rb', '202605eb'])
})

test('a key whose record was published was gone after a loss of power', async () => {
  const root = keyDirectory()
  const directory = join(root, 'dkim')
  const selectors = [{ name: 'a', algorithm: 'ed25519' } as const, { name: 'b', algorithm: 'ed25519' } as const]
  expect(await lostWithPower(root, () => generateKeys(directory, 'one.test', selectors))).toEqual([])
  expect(await lostWithPower(root, () => retireKey(directory, 'one.test', 'a'))).toEqual([])
})

test('a selector whose key was retired this month is not given to another key', async () => {
  const directory = keyDirectory()
  await generateKeys(directory, 'one.test', await freshSelectors(directory, 'one.test', may))
  await generateKeys(directory, 'one.test', await freshSelectors(directory, 'one.test', may))
  for (const selector of ['202605r', '202605e']) await retireKey(directory, 'one.test', selector)
  const names = (await freshSelectors(directory, 'one.test', may)).map(({ name }) => name)
  expect(names).toEqual(['202605rc', '202605ec'])
})

test('a retired key signs no more, and the last one stays', async () => {
  const directory = keyDirectory()
  await generateKeys(directory, 'one.test', [
    { name: 'a', algorithm: 'ed25519' },
    { name: 'b', algorithm: 'ed25519' },
  ])
  await expect(retireKey(directory, 'one.test', 'c')).rejects.toThrow('one.test has no key c')
  await retireKey(directory, 'one.test', 'a')
  expect(readdirSync(directory).sort()).toEqual(['one.test.a.pem.retired', 'one.test.b.pem'])
  await expect(retireKey(directory, 'one.test', 'b')).rejects.toThrow('b is the last key of one.test; rotate first')
})

import { generateKeyPairSync } from 'node:crypto'
import {
  chmodSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dkimRecords } from './dkim-records.ts'
import { defaultSelectors, generateKeys } from './generate-keys.ts'
import { KeyDirectory, SigningKeyError } from './key-directory.ts'

let directory: string
const clock = virtualClock()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pennypost-keys-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const open = (log: Log = silentLog) => new KeyDirectory({ directory, clock, log, recheckMs: 1000 })
const selectors = async (keys: KeyDirectory, domain: string) =>
  (await keys.keysOf(domain)).map(({ selector }) => selector)
const writeKey = (name: string, key = generateKeyPairSync('ed25519').privateKey) =>
  writeFileSync(join(directory, name), key.export({ type: 'pkcs8', format: 'pem' }))

test('a key belongs to the domain and selector of its file name', async () => {
  for (const name of ['one.test.a.pem', 'one.test.b.pem', 'sub.one.test.a.pem', 'note.txt', 'One.test.c.pem']) {
    writeKey(name)
  }
  const keys = open()
  expect(await selectors(keys, 'one.test')).toEqual(['a', 'b'])
  expect(await selectors(keys, 'sub.one.test')).toEqual(['a'])
  expect(await selectors(keys, 'test')).toEqual([])
})

test('a directory that does not exist has no keys', async () => {
  const keys = new KeyDirectory({ directory: join(directory, 'none'), clock, log: silentLog, recheckMs: 1000 })
  expect(await keys.keysOf('one.test')).toEqual([])
})

test('files that appear, change and go are noticed at the next look', async () => {
  const keys = open()
  expect(await selectors(keys, 'one.test')).toEqual([])
  writeKey('one.test.a.pem')
  expect(await selectors(keys, 'one.test')).toEqual([])
  await clock.advance(1000)
  const [before] = await keys.keysOf('one.test')
  expect(before?.algorithm).toBe('ed25519')

  writeKey('fresh', generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey)
  renameSync(join(directory, 'fresh'), join(directory, 'one.test.a.pem'))
  await clock.advance(1000)
  const [after] = await keys.keysOf('one.test')
  expect(after?.algorithm).toBe('rsa')
  await clock.advance(1000)
  expect((await keys.keysOf('one.test'))[0]).toBe(after)

  rmSync(join(directory, 'one.test.a.pem'))
  await clock.advance(1000)
  expect(await selectors(keys, 'one.test')).toEqual([])
})

test('a file that is no key is an error for its domain only, and is logged once', async () => {
  const logged: string[] = []
  const keys = open({ ...silentLog, error: (_facts, text) => logged.push(text) })
  writeFileSync(join(directory, 'one.test.a.pem'), 'secret that is no key')
  writeKey('two.test.a.pem')
  await expect(keys.keysOf('one.test')).rejects.toThrow(SigningKeyError)
  expect(await selectors(keys, 'two.test')).toEqual(['a'])
  await clock.advance(1000)
  await expect(keys.keysOf('one.test')).rejects.toThrow(/one\.test\.a\.pem cannot be read/)
  expect(logged).toHaveLength(1)
  expect(logged[0]).not.toContain('secret')
})

test('with a good key beside it a broken one does not stop the mail', async () => {
  writeFileSync(join(directory, 'one.test.a.pem'), 'half a')
  writeKey('one.test.b.pem')
  expect(await selectors(open(), 'one.test')).toEqual(['b'])
})

test('keys that DKIM does not know are refused by name', async () => {
  writeKey('ec.test.a.pem', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  writeKey('weak.test.a.pem', generateKeyPairSync('rsa', { modulusLength: 512 }).privateKey)
  const keys = open()
  await expect(keys.keysOf('ec.test')).rejects.toThrow(/type ec/)
  await expect(keys.keysOf('weak.test')).rejects.toThrow(/512 bits/)
})

test('keys are made private, and one that is there is kept', async () => {
  const wanted = defaultSelectors(Date.UTC(2026, 7, 31))
  expect(wanted.map(({ name }) => name)).toEqual(['202608r', '202608e'])
  const paths = await generateKeys(directory, 'One.Test', wanted)
  expect(readdirSync(directory)).toEqual(['one.test.202608e.pem', 'one.test.202608r.pem'])
  for (const path of paths) expect(statSync(path).mode & 0o777).toBe(0o600)
  const before = readFileSync(paths[0]!)
  await expect(generateKeys(directory, 'one.test', wanted)).rejects.toThrow(/is there already/)
  expect(readFileSync(paths[0]!)).toEqual(before)
  expect(readdirSync(directory)).toHaveLength(2)
  expect((await open().keysOf('one.test')).map(({ algorithm }) => algorithm).sort()).toEqual(['ed25519', 'rsa'])
})

test.each(['../one.test', 'one test', 'ö.test', ''])('%j is no domain to make a key for', async (domain) => {
  await expect(generateKeys(directory, domain, defaultSelectors(0))).rejects.toThrow(SigningKeyError)
})

test('records carry the public halves', async () => {
  await generateKeys(directory, 'one.test', defaultSelectors(Date.UTC(2026, 7, 1)))
  await generateKeys(directory, 'two.test', [{ name: 'x', algorithm: 'ed25519' }])
  const [ed25519, rsa, ...more] = await dkimRecords(directory, 'ONE.test')
  expect(more).toEqual([])
  expect(ed25519).toMatchObject({ name: '202608e._domainkey.one.test', algorithm: 'ed25519', selector: '202608e' })
  expect(ed25519?.value).toMatch(/^v=DKIM1; k=ed25519; p=[A-Za-z0-9+/]{43}=$/)
  expect(rsa?.value).toMatch(/^v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A[A-Za-z0-9+/]+=*$/)
})

test('a file without permission to read is an error, not a domain without keys', async (context) => {
  if (process.getuid?.() === 0) return context.skip('root reads every file')
  writeKey('one.test.a.pem')
  chmodSync(join(directory, 'one.test.a.pem'), 0)
  await expect(open().keysOf('one.test')).rejects.toThrow(/EACCES/)
})

test('a link that leads nowhere is an error, not a domain without keys', async () => {
  const logged: string[] = []
  const keys = open({ ...silentLog, error: (_facts, text) => logged.push(text) })
  const path = join(directory, 'one.test.a.pem')
  symlinkSync(join(directory, 'not-mounted'), path)
  await expect(keys.keysOf('one.test')).rejects.toThrow(/one\.test\.a\.pem cannot be read .*ENOENT/)
  await clock.advance(1000)
  await expect(keys.keysOf('one.test')).rejects.toThrow(SigningKeyError)
  expect(logged).toHaveLength(1)
  writeKey('not-mounted')
  await clock.advance(1000)
  expect(await selectors(keys, 'one.test')).toEqual(['a'])
})

test('a key that could not be read for a while signs again, though its file has not changed', async () => {
  const keys = open()
  const path = join(directory, 'one.test.a.pem')
  writeKey('one.test.a.pem')
  const pem = readFileSync(path)
  const fill = (content: Buffer): void => {
    writeFileSync(path, content)
    utimesSync(path, 1, 1)
  }
  fill(Buffer.alloc(pem.length, 'x'))
  await expect(keys.keysOf('one.test')).rejects.toThrow(SigningKeyError)
  fill(pem)
  await clock.advance(1000)
  expect(await selectors(keys, 'one.test')).toEqual(['a'])
})

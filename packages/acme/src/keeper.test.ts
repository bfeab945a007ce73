import { createPrivateKey } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Log, silentLog } from '@pennypost/model'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { certificatePaths, present } from './files.ts'
import { createCertificateKeeper } from './keeper.ts'

// For mail.one.test and one.test, issued by an authority; openssl made it.
const issued = fileURLToPath(new URL('../test/of-90-days-from-2026-09-01.pem', import.meta.url))
const from = Date.UTC(2026, 8, 1)
const dayMs = 86_400_000
const hourMs = 3_600_000

test.each([
  ['fresh', ['mail.one.test', 'one.test'], from, false],
  ['with a third of its life left', ['mail.one.test'], from + 60 * dayMs, true],
  ['a moment before', ['mail.one.test'], from + 60 * dayMs - 1, false],
  ['expired', ['mail.one.test'], from + 91 * dayMs, true],
  ['without one of the names', ['mail.one.test', 'two.test'], from, true],
])('a certificate %s', async (_, names, now, due) => {
  const { isDue, covered } = await present(issued, names, now)
  expect(isDue || covered.length < names.length).toBe(due)
})

test('a certificate is ending when a tenth of its life is left', async () => {
  const endingAt = async (days: number) => (await present(issued, [], from + days * dayMs)).isEnding
  expect([await endingAt(80), await endingAt(81)]).toEqual([false, true])
})

test('none, and one that has signed itself, are due', async () => {
  expect(await present('/nonexistent/certificate.pem', [], from)).toMatchObject({ isDue: true, covered: [] })
  const standIn = fileURLToPath(new URL('../../transport/test/certificates/authority.pem', import.meta.url))
  expect(await present(standIn, [], from)).toMatchObject({ isDue: true, covered: [] })
})

test('one that is damaged was never replaced', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-acme-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const damaged = join(directory, 'certificate.pem')
  writeFileSync(damaged, readFileSync(issued, 'utf8').slice(0, 200))
  expect(await present(damaged, [], from)).toMatchObject({ isDue: true, covered: [] })
})

/** A keeper over a directory of its own, whose authority issues the certificate above, or not. */
function setUp(now: number) {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-acme-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const clock = virtualClock(now)
  const files = certificatePaths(directory)
  const seen = {
    names: ['mail.one.test'],
    /** With which account keys. */
    orders: [] as string[],
    failing: false,
    dead: [] as string[],
    renewed: 0,
    errors: [] as unknown[],
    infos: [] as unknown[],
  }
  const log: Log = {
    ...silentLog,
    error: (fields) => void seen.errors.push(fields),
    info: (fields) => void seen.infos.push(fields),
  }
  const keeper = createCertificateKeeper({
    names: async () => seen.names,
    files,
    async order(names, accountKey, isWorth) {
      seen.orders.push(accountKey)
      if (seen.failing) throw new Error('no connection')
      const unproved = seen.dead.map((name) => ({ name, why: 'connection refused' }))
      if (unproved.length > 0 && !isWorth(names.filter((name) => !seen.dead.includes(name)))) return { unproved }
      const issuedNow = { cert: readFileSync(issued, 'utf8'), key: `key ${seen.orders.length}` }
      return { unproved, issued: issuedNow }
    },
    async onRenewed() {
      expect(readFileSync(files.key, 'utf8')).toBe(`key ${seen.orders.length}`)
      seen.renewed++
    },
    clock,
    random: seededRandom(8555),
    log,
  })
  onTestFinished(() => keeper[Symbol.asyncDispose]())
  return { keeper, clock, files, seen }
}

test('the first look orders, later ones only when it is time, with the account of the first', async () => {
  const { keeper, clock, files, seen } = setUp(from)
  keeper.start()
  await clock.advance(30 * dayMs)
  expect(seen).toMatchObject({ orders: { length: 1 }, renewed: 1, errors: [] })
  expect(readFileSync(files.cert, 'utf8')).toBe(readFileSync(issued, 'utf8'))
  await clock.advance(30 * dayMs + 7 * hourMs)
  const key = readFileSync(files.accountKey, 'utf8')
  expect(createPrivateKey(key).asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' })
  expect(seen.orders.slice(0, 2)).toEqual([key, key])
})

test('each order that failed made another account at the authority', async () => {
  const { keeper, clock, files, seen } = setUp(from)
  seen.failing = true
  keeper.start()
  await clock.advance(2 * hourMs)
  const key = readFileSync(files.accountKey, 'utf8')
  expect(seen.orders).toEqual([key, key])
})

test('what fails is tried less and less often, and leaves what is there', async () => {
  const { keeper, clock, files, seen } = setUp(from + 70 * dayMs)
  cpSync(issued, files.cert)
  writeFileSync(files.key, 'old key')
  seen.failing = true
  keeper.start()
  await clock.advance(3 * dayMs)
  // At once, and after about 1, 3, 7, 15, 31 and 55 hours.
  expect(seen.orders).toHaveLength(7)
  expect(seen.errors).toHaveLength(7)
  expect(seen.errors[0]).toMatchObject({ error: 'no connection', retryMs: hourMs })
  expect(seen.errors[6]).toMatchObject({ retryMs: 24 * hourMs })
  expect(readFileSync(files.key, 'utf8')).toBe('old key')
  seen.failing = false
  await clock.advance(dayMs + 2 * hourMs)
  expect(seen.renewed).toBeGreaterThan(0)
})

test('a name that came later is ordered at the next look', async () => {
  const { keeper, clock, files, seen } = setUp(from)
  cpSync(issued, files.cert)
  keeper.start()
  await clock.advance(hourMs)
  expect(seen.orders).toEqual([])
  seen.names = ['mail.one.test', 'autoconfig.one.test']
  await clock.advance(7 * hourMs)
  expect(seen.orders).toHaveLength(1)
})

// The certificate is for mail.one.test and one.test.
test.each([
  ['one that is new does not keep the first certificate', ['mail.one.test', 'dead.test'], ['dead.test'], undefined, 1],
  ['without any there is no certificate', ['dead.test'], ['dead.test'], undefined, 0],
  ['nothing is ordered for what is there already', ['mail.one.test', 'dead.test'], ['dead.test'], 1, 0],
  ['one that the certificate has is not given up early', ['mail.one.test', 'one.test'], ['one.test'], 70, 0],
  ['but at last', ['mail.one.test', 'one.test'], ['one.test'], 82, 1],
])('of names that cannot be proved, %s', async (_, names, dead, ageDays, renewed) => {
  const { keeper, clock, files, seen } = setUp(from + (ageDays ?? 0) * dayMs)
  if (ageDays !== undefined) cpSync(issued, files.cert)
  seen.names = names
  seen.dead = dead
  keeper.start()
  await clock.advance(hourMs / 2)
  expect(seen).toMatchObject({ renewed, errors: [{ name: dead[0], error: 'connection refused', retryMs: hourMs }] })
  const proved = names.filter((name) => !dead.includes(name))
  if (renewed > 0) expect(seen.infos.at(-1)).toEqual({ names: proved, certificate: files.cert })
  expect(keeper.unproved).toEqual([{ name: dead[0], why: 'connection refused' }])
  // It was mended meanwhile.
  seen.dead = []
  await clock.advance(hourMs)
  expect(seen.orders).toHaveLength(2)
  expect(keeper.unproved).toEqual([])
})

test('a name that is never proved is tried less and less often, and without a new certificate each time', async () => {
  const { keeper, clock, seen } = setUp(from)
  seen.names = ['mail.one.test', 'dead.test']
  seen.dead = ['dead.test']
  keeper.start()
  await clock.advance(3 * dayMs)
  expect(seen).toMatchObject({ renewed: 1, orders: { length: 7 } })
})

test('an authority that did not answer held up the end of the server', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-acme-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const placed = Promise.withResolvers<void>()
  const keeper = createCertificateKeeper({
    names: async () => ['mail.one.test'],
    files: certificatePaths(directory),
    order() {
      placed.resolve()
      return new Promise(() => {})
    },
    onRenewed: async () => {},
    clock: virtualClock(from),
    random: seededRandom(8555),
    log: silentLog,
  })
  keeper.start()
  await placed.promise
  await keeper[Symbol.asyncDispose]()
})

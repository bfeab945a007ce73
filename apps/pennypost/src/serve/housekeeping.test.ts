import { type Account, type AccountId, silentLog } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { startHousekeeping } from './housekeeping.ts'

const hour = 3_600_000
const day = 24 * hour

/** A store with an account that was removed just now, and housekeeping whose clock of dates a test sets. */
async function house() {
  const clock = virtualClock()
  const store = createMemoryStore({ clock, random: seededRandom(1) })
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const login = 'alice@one.test'
  const { id } = await store.directory.addAccount({ login, name: '', quota: 0, admin: false }, clock.now())
  await store.directory.removeAccount(id, clock.now())
  const time = { aheadMs: 0 }
  const housekeeping = await startHousekeeping({
    store,
    config: checkConfig('pennypost.toml', 'hostname = "mail.one.test"'),
    clock: { ...clock, now: () => clock.now() + time.aheadMs },
    log: silentLog,
    trusted: new Map(),
    endSessions: () => {},
  })
  const isThere = async () => (await store.directory.account(id)) !== undefined
  return { clock, time, isThere, [Symbol.asyncDispose]: () => housekeeping[Symbol.asyncDispose]() }
}

test('a removed account goes after thirty days', async () => {
  await using home = await house()
  await home.clock.advance(30 * day)
  expect(await home.isThere()).toBe(true)
  await home.clock.advance(2 * hour)
  expect(await home.isThere()).toBe(false)
})

test('a clock that is ten years ahead for some hours purges nobody', async () => {
  await using home = await house()
  await home.clock.advance(hour / 2)
  home.time.aheadMs = 3650 * day
  await home.clock.advance(20 * hour)
  expect(await home.isThere()).toBe(true)
  home.time.aheadMs = 0
  await home.clock.advance(20 * hour)
  home.time.aheadMs = 3650 * day
  await home.clock.advance(20 * hour)
  expect(await home.isThere()).toBe(true)
})

test('a clock that stays ahead is believed after a day', async () => {
  await using home = await house()
  home.time.aheadMs = 40 * day
  await home.clock.advance(23 * hour)
  expect(await home.isThere()).toBe(true)
  await home.clock.advance(3 * hour)
  expect(await home.isThere()).toBe(false)
})

test('a clock that is set back deletes by the new date', async () => {
  await using home = await house()
  home.time.aheadMs = -10 * day
  await home.clock.advance(35 * day)
  expect(await home.isThere()).toBe(true)
  await home.clock.advance(6 * day)
  expect(await home.isThere()).toBe(false)
})

test('a device that came back right behind the suspension of its account went on sending', async () => {
  const clock = virtualClock()
  const store = createMemoryStore({ clock, random: seededRandom(1) })
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const login = 'scanner@one.test'
  const { id } = await store.directory.addAccount({ login, name: '', quota: 0, admin: false }, clock.now())
  const trusted = new Map<string, Account>()
  const ended: AccountId[] = []
  const device = `trusted = [{ address = "192.0.2.7", account = "${login}" }]`
  await using _ = await startHousekeeping({
    store,
    config: checkConfig('pennypost.toml', `hostname = "mail.one.test"\n[submission]\n${device}`),
    clock,
    log: silentLog,
    trusted,
    endSessions: (account) => ended.push(account),
  })
  await store.directory.updateAccount(id, { suspended: true })
  await clock.advance(60_000)
  expect([trusted.size, ended]).toEqual([0, [id]])
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { virtualClock } from '@pennypost/model/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqliteLimits } from './options.ts'
import { Room } from './room.ts'

const megabyte = 1_000_000
const total = 100 * megabyte
/** 5 % of it. */
const reserve = 5 * megabyte

let directory: string
let space: { free: number; total: number }
let clock: ReturnType<typeof virtualClock>

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-room-'))
  space = { free: total, total }
  clock = virtualClock()
})

afterEach(() => rmSync(directory, { recursive: true }))

function openRoom(limits: Partial<typeof sqliteLimits> = { ballastOctets: 0 }): Room {
  const files = { ballast: join(directory, 'ballast'), database: join(directory, 'mail.db') }
  return new Room(() => space, files, clock, { ...sqliteLimits, ...limits })
}

test('is refused where the reserve would be touched', () => {
  const room = openRoom()
  space.free = reserve + 10 * megabyte
  expect([room.has(9 * megabyte), room.has(10 * megabyte)]).toEqual([true, false])
})

test('is promised once, whoever asks', () => {
  const room = openRoom()
  space.free = reserve + 10 * megabyte
  const first = room.reserve(6 * megabyte)
  expect(room.reserve(6 * megabyte)).toBeUndefined()
  first?.[Symbol.dispose]()
  expect(room.reserve(6 * megabyte)).toBeDefined()
})

test('is promised by the measurement that found it', () => {
  let looks = 0
  const spaces = [total, reserve]
  const files = { ballast: join(directory, 'ballast'), database: join(directory, 'mail.db') }
  // Each look at the clock finds the measurement before too old.
  const passing = { ...clock, elapsed: () => ++looks * 60 }
  const room = new Room(() => ({ free: spaces.shift() ?? 0, total }), files, passing, sqliteLimits)
  expect(room.reserve(megabyte)).toBeDefined()
  expect(room.reserve(megabyte)).toBeUndefined()
})

test('that was promised is there though others have been refused since', async () => {
  const room = openRoom()
  space.free = reserve + 2 * megabyte
  const promised = room.reserve(megabyte)
  space.free = reserve + megabyte
  await clock.advance(1000)
  expect(room.reserve(0)).toBeUndefined()
  promised?.write(megabyte)
  promised?.wrote(megabyte)
  space.free = reserve
  expect(() => promised?.store(20_000)).not.toThrow()
  expect(() => promised?.store(megabyte)).toThrow('reserve')
})

test('that is being written counts until it is measured, then once', async () => {
  const room = openRoom()
  const writing = room.reserve(60 * megabyte)
  writing?.write(60 * megabyte)
  writing?.wrote(60 * megabyte)
  expect(room.has(36 * megabyte)).toBe(true)
  space.free -= 60 * megabyte
  await clock.advance(1000)
  expect([room.has(34 * megabyte), room.has(36 * megabyte)]).toEqual([true, false])
})

test('that the database will take from the log is not there for others', () => {
  const room = openRoom()
  space.free = reserve + 10 * megabyte
  room.grows(9 * megabyte)
  expect([room.has(0), room.has(megabyte)]).toEqual([true, false])
  writeFileSync(join(directory, 'mail.db'), Buffer.alloc(5 * megabyte))
  expect([room.has(5 * megabyte), room.has(6 * megabyte)]).toEqual([true, false])
})

test('that the ballast gave up is not for new mail', () => {
  const room = openRoom({ ballastOctets: 3 * megabyte })
  space.free = reserve + 4 * megabyte
  expect([room.has(megabyte / 2), room.has(2 * megabyte), room.isWanted]).toEqual([true, false, true])
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(3 * megabyte))
  expect([room.has(2 * megabyte), room.isWanted]).toEqual([true, false])
})

test('a MAIL is not taken a moment after one was refused', async () => {
  const room = openRoom()
  space.free = reserve + 10_000
  expect(room.reserve(0)).toBeUndefined()
  for (const more of [100_000, 200_000, 400_000]) {
    space.free = reserve + more
    await clock.advance(1000)
    expect(room.reserve(0)).toBeUndefined()
  }
  space.free = reserve + megabyte
  expect(room.reserve(0)).toBeDefined()
})

test('is wanted while new mail is refused', async () => {
  const room = openRoom()
  expect([room.has(0), room.isWanted]).toEqual([true, false])
  space.free = reserve
  await clock.advance(1000)
  expect([room.has(0), room.isWanted]).toEqual([false, true])
  space.free = total
  await clock.advance(1000)
  expect([room.has(0), room.isWanted]).toEqual([true, false])
})

test('a COPY is not taken where a MAIL was refused', () => {
  const room = openRoom()
  space.free = reserve + 100_000
  expect(room.reserve(0)).toBeUndefined()
  expect(() => room.open().store(1000)).toThrow('reserve')
})

test('that was measured and could not be had is not promised for a second', async () => {
  const room = openRoom()
  room.ranOut()
  expect(room.has(0)).toBe(false)
  await clock.advance(1000)
  expect(room.has(0)).toBe(true)
})

test('a large mail that is refused stops no small one', () => {
  const room = openRoom()
  space.free = reserve + megabyte
  expect([room.has(50 * megabyte), room.has(1000)]).toEqual([false, true])
})

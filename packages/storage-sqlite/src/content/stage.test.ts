import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { freeOctets, systemClock } from '@pennypost/model'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import { sqliteLimits } from '../options.ts'
import { Room } from '../room.ts'
import { ContentFiles } from './content-files.ts'
import { createStage, type Staged } from './stage.ts'

const kilobytes = 1024
let directory: string
let root: string

beforeEach(() => {
  directory = temporaryDirectory()
  root = join(directory, 'content')
  mkdirSync(root)
  staged.octets = 0
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
})

const nowhere = { ballast: '/nowhere/ballast', database: '/nowhere/mail.db' }
const room = new Room(() => ({ free: 2 ** 40, total: 2 ** 40 }), nowhere, systemClock, sqliteLimits)
const staged = { octets: 0 }
const stage = (limits = sqliteLimits) => createStage({ files: new ContentFiles(root), room, limits, staged }, undefined)
const files = () => readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())

/** As a socket gives them: each in memory of its own. */
const chunk = (size: number, fill: number): Buffer => Buffer.allocUnsafeSlow(size).fill(fill)

/** Fails all of these calls on files from now on. */
async function failing(method: 'writev' | 'datasync'): Promise<void> {
  const probe = await open(join(directory, 'probe'), 'w')
  await probe.close()
  vi.spyOn(Object.getPrototypeOf(probe), method).mockRejectedValue(Object.assign(new Error('disk'), { code: 'EIO' }))
}

test.each([
  ['in memory', 3],
  ['in a file', 5],
  ['in a file by several writes, synced on the way', 150],
])('content %s is what came, whole and in part', async (_where, count) => {
  const content = stage()
  for (let at = 0; at < count; at++) await content.write(chunk(40 * kilobytes, at))
  const staged = await content.finish()
  expect(staged.size).toBe(count * 40 * kilobytes)
  let at = 0
  for await (const piece of staged.read()) {
    for (const octet of [0, piece.length - 1]) {
      expect(piece[octet]).toBe(Math.floor((at + octet) / (40 * kilobytes)))
    }
    at += piece.length
  }
  expect(at).toBe(staged.size)
  const middle: Buffer[] = []
  for await (const piece of staged.read(40 * kilobytes - 1, 80 * kilobytes + 1)) middle.push(piece)
  const octets = Buffer.concat(middle)
  expect([octets.length, octets[0], octets[1], octets.at(-1)]).toEqual([40 * kilobytes + 2, 0, 1, 2])
  await staged.discard()
  expect(files()).toEqual([])
})

test('a sender that is faster than the disk waits', async () => {
  const content = stage()
  const waits: unknown[] = []
  for (let at = 0; at < 40; at++) {
    const wait = content.write(chunk(64 * kilobytes, at))
    waits.push(wait)
    if (wait) {
      expect(() => content.write(chunk(1, 0))).toThrow('has not ended')
      await wait
    }
  }
  expect(waits.slice(0, 7)).toEqual(new Array(7).fill(undefined))
  expect(waits[7]).toBeInstanceOf(Promise)
  expect((await content.finish()).size).toBe(40 * 64 * kilobytes)
})

test('a write that fails rejects what comes after it, and nothing is left', async () => {
  await failing('writev')
  const content = stage()
  const fill = async () => {
    for (let at = 0; at < 100; at++) await content.write(chunk(64 * kilobytes, at))
  }
  await expect(fill()).rejects.toThrow('disk')
  await expect(content.finish()).rejects.toThrow('disk')
  await content.discard()
  expect(files()).toEqual([])
})

test('a sync on the way that fails is not forgotten, though a later one succeeds', async () => {
  await failing('datasync')
  const content = stage()
  const fill = async () => {
    for (let at = 0; at < 80; at++) await content.write(chunk(64 * kilobytes, at))
  }
  await fill().catch(() => {})
  vi.restoreAllMocks()
  await expect(content.finish()).rejects.toThrow('disk')
  await content.discard()
  expect(files()).toEqual([])
})

test('content that can not be synced in the end is forgotten, and its room is free again', async () => {
  const megabyte = 1024 * kilobytes
  const { reserveOctets } = sqliteLimits
  const space = { free: reserveOctets + 3 * megabyte, total: 2 ** 40 }
  const small = new Room(() => space, nowhere, systemClock, { ...sqliteLimits, ballastOctets: 0 })
  const promised = small.reserve(2 * megabyte)
  expect(small.has(2 * megabyte)).toBe(false)
  await failing('datasync')
  const content = createStage({ files: new ContentFiles(root), room: small, limits: sqliteLimits, staged }, promised)
  await content.write(chunk(300 * kilobytes, 1))
  await expect(content.finish()).rejects.toThrow('disk')
  expect(files()).toEqual([])
  expect(small.has(2 * megabyte)).toBe(true)
})

test('octets are let go of as soon as they are in the file', async () => {
  const content = stage()
  const chunks = Array.from({ length: 4 }, (_, at) => chunk(64 * kilobytes, at))
  for (const octets of chunks) await content.write(octets)
  const staged = await content.finish()
  expect(chunks.map((octets) => octets.length)).toEqual([0, 0, 0, 0])
  expect((staged as Staged).take().file).toMatch(/^[0-9a-f]{6}\/0$/)
})

test('memory that has other views is kept', () => {
  const octets = chunk(64 * kilobytes, 1)
  freeOctets(octets.subarray(0, 32 * kilobytes))
  expect(octets).toHaveLength(64 * kilobytes)
  freeOctets(octets)
  expect(octets).toHaveLength(0)
})

test('many small contents that nobody stores are in files beyond what memory is there for them', async () => {
  const limits = { ...sqliteLimits, stagedOctets: 100 }
  const finish = async (size: number): Promise<Staged> => {
    const content = stage(limits)
    await content.write(chunk(size, 1))
    return (await content.finish()) as Staged
  }
  const [first, second, third] = [await finish(60), await finish(60), await finish(40)]
  expect(files()).toHaveLength(1)
  const pieces: Buffer[] = []
  for await (const piece of second.read()) pieces.push(piece)
  expect(Buffer.concat(pieces)).toEqual(chunk(60, 1))
  expect(first.take().file).toBeNull()
  await third.discard()
  await second.discard()
  expect([files(), staged.octets]).toEqual([[], 0])
  expect((await finish(100)).take().file).toBeNull()
})

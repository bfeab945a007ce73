/**
 * A server that is killed while small and large letters come by SMTP, LMTP and IMAP has each that it acknowledged, once
 * and octet by octet, the others at most once, and no file that nothing refers to.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openDialogue, openImapDialogue } from './full-disk-dialogue.ts'
import { type Instance, startInstance } from './instance.ts'
import { inbox } from './letters.ts'

const bob = 'bob@one.test'
const program = fileURLToPath(new URL('../interop/server-process.ts', import.meta.url))
const rounds = 5
const sizes = [2_000, 300_000, 2_000_000] as const
/** Acknowledgements before the kill, and octets of the content that is then cut off are up to chance. */
const acknowledgementsARound = 12

interface Load {
  readonly sent: Map<string, string>
  readonly acknowledged: Set<string>
}

type Ports = Record<string, number>

async function startProcess(directory: string): Promise<{ child: ChildProcess; ports: Ports }> {
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { child, ports: JSON.parse(line) as Ports }
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Where our letter begins in what is stored: behind the trace that the server put before it. */
const mark = 'X-Letter: '

function letterOf(name: string, octets: number): Buffer {
  const lines =
    randomBytes(octets * 0.74)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  return Buffer.from(`${mark}${name}\r\nFrom: x@elsewhere.test\r\n\r\n${lines.join('\r\n')}\r\n`)
}

type Send = (raw: Buffer) => Promise<boolean>

async function openLane(ports: Ports, lane: string): Promise<Send> {
  if (lane === 'imaps') {
    const imap = await openImapDialogue(ports[lane] ?? 0, bob)
    return async (raw) => /^a\d+ OK/m.test(await imap.append('INBOX', raw))
  }
  const session = await openDialogue(ports[lane] ?? 0, lane === 'lmtp' ? 'LHLO client.test' : 'EHLO client.test')
  return async (raw) => (await session.deliver(bob, raw)).startsWith('250')
}

/** Sends letters of one size until the server is gone. */
async function send(ports: Ports, lane: string, octets: number, load: Load, acknowledged: () => void): Promise<void> {
  try {
    const deliver = await openLane(ports, lane)
    for (;;) {
      const name = randomBytes(9).toString('hex')
      const raw = letterOf(name, octets)
      load.sent.set(name, hashOf(raw.toString()))
      if (!(await deliver(raw))) continue
      load.acknowledged.add(name)
      acknowledged()
    }
  } catch {
    // Killed, as it should be.
  }
}

async function loadAndKill(directory: string, load: Load): Promise<void> {
  const { child, ports } = await startProcess(directory)
  const exit = once(child, 'exit')
  let left = acknowledgementsARound
  const acknowledged = (): void => {
    // A little later, by chance: in the middle of whatever comes next.
    if (--left === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() * 40)
  }
  const lanes = ['smtp', 'lmtp', 'imaps'].flatMap((lane) => sizes.map((size) => [lane, size] as const))
  try {
    await Promise.all(lanes.map(([lane, size]) => send(ports, lane, size, load, acknowledged)))
  } finally {
    child.kill('SIGKILL')
    await exit
  }
}

function contentFiles(directory: string): string[] {
  const root = join(directory, 'data', 'content')
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(root, name)).isFile())
}

async function expectWhole(at: Instance, load: Load): Promise<void> {
  expect(await Array.fromAsync(at.server.store.check())).toEqual([])
  const stored = (await inbox(at, bob)).map((raw) => raw.slice(raw.indexOf(mark)))
  const names = stored.map((text) => text.slice(mark.length, text.indexOf('\r\n')))
  expect(new Set(names).size).toBe(names.length)
  expect([...load.acknowledged].filter((name) => !names.includes(name))).toEqual([])
  expect(stored.map(hashOf)).toEqual(names.map((name) => load.sent.get(name)))
  const large = stored.filter((text) => text.length > 200_000).length
  expect(contentFiles(at.directory)).toHaveLength(large)
}

it('kill -9 under a load of large letters loses none, doubles none, and leaves nothing behind', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-crash-'))
  const load: Load = { sent: new Map(), acknowledged: new Set() }
  try {
    for (let round = 0; round < rounds; round += 1) {
      await loadAndKill(directory, load)
      const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory })
      try {
        await expectWhole(at, load)
      } finally {
        await at.stop()
      }
    }
    expect(load.acknowledged.size).toBeGreaterThanOrEqual(rounds * acknowledgementsARound)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}, 180_000)

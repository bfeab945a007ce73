/**
 * A server that is killed while small and large letters come by SMTP, LMTP and IMAP has each that it acknowledged, once
 * and octet by octet, the others at most once, and no file that nothing refers to.
 */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startProcess } from '../interop/start-process.ts'
import { bob, letterOf, mark, type Ports } from './crash-load.ts'
import { openDialogue, openImapDialogue } from './full-disk-dialogue.ts'
import { type Instance, startInstance } from './instance.ts'
import { inbox } from './letters.ts'

const rounds = 5
const sizes = [2_000, 300_000, 2_000_000] as const
/** Acknowledgements before the kill, and octets of the content that is then cut off are up to chance. */
const acknowledgementsARound = 12

interface Load {
  readonly sent: Map<string, string>
  readonly acknowledged: Set<string>
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex')

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
  await using at = await startProcess(directory)
  let left = acknowledgementsARound
  const acknowledged = (): void => {
    // A little later, by chance: in the middle of whatever comes next.
    if (--left === 0) setTimeout(() => at.process.kill('SIGKILL'), Math.random() * 40)
  }
  const lanes = ['smtp', 'lmtp', 'imaps'].flatMap((lane) => sizes.map((size) => [lane, size] as const))
  await Promise.all(lanes.map(([lane, size]) => send(at.ports, lane, size, load, acknowledged)))
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
})

/**
 * A server that is killed at random moments under mixed work keeps all that it has said: letters, expunges, UIDs,
 * MODSEQs, copies, queue entries. PENNYPOST_CRASH_ROUNDS says how often (3), PENNYPOST_CRASH_SEED repeats a run.
 */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { startProcess } from '../interop/start-process.ts'
import * as load from './crash-load.ts'
import { openImapDialogue, openPop3Dialogue } from './full-disk-dialogue.ts'
import { eventually, type Instance, startInstance } from './instance.ts'

const rounds = Number(process.env.PENNYPOST_CRASH_ROUNDS ?? 3)
const seed = Number(process.env.PENNYPOST_CRASH_SEED ?? 1)
/** Nobody answers there, so whatever the queue tries is deferred. */
const toml = '[dns]\nservers = ["127.0.0.1:9"]\n[policy]\nrequire_tls_for_auth = false\n'

async function workAndKill(directory: string, told: load.Told, random: Random): Promise<load.Cached> {
  await using at = await startProcess(directory, toml)
  const { process: child, ports } = at
  const exit = once(child, 'exit')
  const cached = await load.cacheInbox(ports)
  const work = { ports, told, random }
  const small = Array.from({ length: 16 }, (_, index) => load.deliver(work, index % 2 ? 'smtp' : 'lmtp', 2_000))
  const large = ['smtp', 'smtp', 'lmtp', 'lmtp'].map((lane) => load.deliver(work, lane, 400_000))
  const appends = [load.append(work, 2_000), load.append(work, 400_000)]
  const others = [load.rearrange(work), load.take(work), load.submit(work)]
  // Each goes on until the server is gone.
  const ended = Promise.allSettled([...small, ...large, ...appends, ...others])
  const goal = told.acknowledgements + 50 + Math.floor(random.fraction() * 300)
  await eventually(async () => told.acknowledgements >= goal || undefined, 'enough work')
  child.kill('SIGKILL')
  await exit
  await ended
  return cached
}

const portsOf = (at: Instance): load.Ports =>
  Object.fromEntries(at.server.listeners.map(({ service, bound }) => [service, bound.port]))

async function expectLetters(ports: load.Ports, told: load.Told): Promise<void> {
  using imap = await openImapDialogue(ports.imaps ?? 0, load.bob)
  const before = new Map(told.uids)
  const here: string[] = []
  for (const mailbox of ['INBOX', 'Trash']) here.push(...(await load.lettersIn(imap, mailbox, told)).values())
  await load.lettersIn(imap, 'Archive', told)
  const changed = [...before].filter(([key, name]) => told.uids.get(key) !== name)
  expect(changed, 'UIDs that are another letter now').toEqual([])
  expect(here.length, 'letters that are there twice').toBe(new Set(here).size)
  expect(
    here.filter((name) => told.expunged.has(name)),
    'expunged letters that are there',
  ).toEqual([])
  const lost = [...told.stored].filter((name) => !here.includes(name) && !told.perhapsExpunged.has(name))
  expect(lost, 'letters that are lost').toEqual([])
}

async function expectCopies(ports: load.Ports, told: load.Told): Promise<void> {
  using imap = await openImapDialogue(ports.imaps ?? 0, load.bob)
  const there = new load.Told()
  await load.lettersIn(imap, 'Archive', there)
  expect([...told.copies].filter((key) => there.uids.get(key) !== told.uids.get(key))).toEqual([])
}

/** Alice's letters by POP3: what was taken away is gone, the rest is there. */
async function expectMaildrop(ports: load.Ports, told: load.Told): Promise<void> {
  using pop3 = await openPop3Dialogue(ports.pop3s ?? 0, 'alice@one.test')
  const count = Number((await pop3.say('STAT')).split(' ')[1])
  const here: string[] = []
  for (let n = 1; n <= count; n++) {
    here.push(new RegExp(`${load.mark}(\\w+)`).exec(await pop3.say(`TOP ${n} 0`, /\r\n\.\r\n$/))?.[1] as string)
  }
  expect(here.filter((name) => told.taken.has(name))).toEqual([])
  expect([...told.toAlice].filter((name) => !here.includes(name) && !told.perhapsTaken.has(name))).toEqual([])
}

async function expectModSeqs(ports: load.Ports, told: load.Told): Promise<void> {
  using imap = await openImapDialogue(ports.imaps ?? 0, load.bob)
  await imap.command('ENABLE QRESYNC')
  const created = await imap.command(`UID STORE 1:* FLAGS (round${told.acknowledgements})`)
  const modSeqs = [...created.matchAll(/MODSEQ \((\d+)\)/g)].map(([, modSeq]) => Number(modSeq))
  expect(Math.min(...modSeqs)).toBeGreaterThan(told.modSeq)
  told.modSeq = Math.max(...modSeqs)
}

async function expectSound(at: Instance, told: load.Told, cached: load.Cached): Promise<void> {
  const { store } = at.server
  expect(await Array.fromAsync(store.check())).toEqual([])
  const ports = portsOf(at)
  const { known, there } = await load.resynchronise(ports, cached)
  expect(known).toEqual(there)
  await expectLetters(ports, told)
  await load.repeat(ports, told)
  await expectLetters(ports, told)
  await expectCopies(ports, told)
  await expectMaildrop(ports, told)
  await expectModSeqs(ports, told)
  const queued: string[] = []
  for await (const page of store.queue.list({})) queued.push(...page.map(({ journey }) => journey as string))
  expect(queued.length).toBe(new Set(queued).size)
  expect([...told.queued].filter((id) => !queued.includes(id))).toEqual([])
  expect(await Array.fromAsync(store.check())).toEqual([])
}

it('kill -9 under mixed work takes back nothing that was said', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-crash-'))
  const random = seededRandom(seed)
  const told = new load.Told()
  try {
    for (let round = 0; round < rounds; round++) {
      const cached = await workAndKill(directory, told, random)
      const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory, toml })
      try {
        await expectSound(at, told, cached)
      } finally {
        await at.stop()
      }
    }
    // Each kind of work has been acknowledged at least once, so none of the checks above looked at nothing.
    const { stored, uids, copies, taken, queued } = told
    for (const [kind, { size }] of Object.entries({ stored, uids, copies, taken, queued })) {
      expect(size, kind).toBeGreaterThan(0)
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

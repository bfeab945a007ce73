/**
 * How fast and how cheaply the queue is emptied into a peer that takes everything:
 *
 *     node packages/relay/test/bench/relay.ts [--chunking] [--messages N] [--octets N] [--store MODULE]
 *
 * `--store packages/storage-sqlite/src/index.ts` runs over that engine, durably, with the queue filled before. Without it
 * the memory engine is used, whose claims look at the whole queue: it is fed in small portions, and its figures include
 * accepting the messages. CPU is that of this process; the peer's is its own.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { createStaticResolver, zone } from '@pennypost/dns'
import type { Mda } from '@pennypost/mda'
import { scan } from '@pennypost/message'
import {
  type Acceptance,
  systemClock as clock,
  createJourneyId,
  systemDeadline as deadline,
  systemRandom as random,
  type Store,
  silentLog,
} from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { createDialer } from '@pennypost/transport'
import { createRelay, createRoutes, type Relay } from '../../src/index.ts'

const { values } = parseArgs({
  options: {
    chunking: { type: 'boolean', default: false },
    messages: { type: 'string', default: '20000' },
    octets: { type: 'string', default: '2048' },
    connections: { type: 'string', default: '20' },
    leases: { type: 'string', default: '60' },
    store: { type: 'string' },
  },
})
const messages = Number(values.messages)
const portion = 100

async function openStore(directory: string): Promise<Store> {
  if (values.store === undefined) return createMemoryStore({ clock, random })
  const module = await import(pathToFileURL(resolve(values.store)).href)
  const searchThread = new URL('../../../../apps/pennypost/src/serve/search-thread.ts', import.meta.url)
  return module.openSqliteStore({ directory, clock, deadline, random, log: silentLog, searchThread })
}

const source = Buffer.from(
  `From: alice@one.test\r\nTo: bob@two.test\r\nSubject: bench\r\n\r\n`.padEnd(100, ' ').trimEnd() +
    `\r\n\r\n${'A line of text as people write it, about so long.\r\n'.repeat(Number(values.octets) / 51)}`,
)

async function acceptance(store: Store): Promise<Acceptance> {
  const stage = store.mail.stage()
  await stage.write(Buffer.from(source))
  const scanned = scan(source)
  const at = clock.now()
  const { header, headerSize } = scanned
  return {
    journey: createJourneyId(at, random),
    acceptedAt: at,
    reversePath: 'alice@one.test',
    message: { content: await stage.finish(), bodyStart: headerSize, header, index: scanned.index() },
    filings: [],
    queue: [
      {
        destination: 'two.test',
        route: 'remote',
        envelope: { reversePath: 'alice@one.test', smtpUtf8: false, requireTls: false, autoSubmitted: false },
        recipients: [{ forwardPath: 'bob@two.test' }],
      },
    ],
    memory: [],
    flow: [],
  }
}

async function feed(store: Store, count: number): Promise<void> {
  for (let done = 0; done < count; done += portion) {
    await store.mail.accept(await Promise.all(Array.from({ length: portion }, () => acceptance(store))))
  }
}

/** Until at most so many are left. Counting costs time too: it is done when the relay rests. */
async function emptied(store: Store, relay: Relay, below: number): Promise<void> {
  for (;;) {
    await new Promise((go) => setTimeout(go, 5))
    if (relay.working() > below) continue
    const { due, leased, waiting } = await store.queue.counts(clock.now())
    if (due + leased + waiting <= below) return
  }
}

const sink = fork(join(import.meta.dirname, 'sink.ts'), values.chunking ? ['--chunking'] : [])
const [port] = (await once(sink, 'message')) as [number]
const directory = mkdtempSync(join(tmpdir(), 'pennypost-relay-'))
const store = await openStore(join(directory, 'data'))
const unused: Pick<Mda, 'expand'> = { expand: () => Promise.reject(new Error('nothing is bounced here')) }
const relay = createRelay({
  store,
  clock,
  deadline,
  random,
  log: silentLog,
  hostname: 'mail.one.test',
  mda: unused,
  resolver: createStaticResolver([zone('two.test', [['@', 'A', '127.0.0.1']])]),
  dialer: createDialer({ deadline }),
  routes: createRoutes({ port }),
  limits: { connectionsPerDestination: Number(values.connections), leasesPerDestination: Number(values.leases) },
})
const backlog = values.store !== undefined
if (backlog) await feed(store, messages)
const cpu = process.cpuUsage()
const begun = clock.elapsed()
relay.start()
if (backlog) await emptied(store, relay, 0)
else {
  for (let done = 0; done < messages; done += portion) {
    await feed(store, portion)
    await emptied(store, relay, portion)
  }
  await emptied(store, relay, 0)
}
const seconds = (clock.elapsed() - begun) / 1000
const { user, system } = process.cpuUsage(cpu)
console.log(
  `${messages} messages of ${source.length} octets: ${Math.round(messages / seconds)}/s, ` +
    `${Math.round((user + system) / messages)} µs CPU each`,
)
await relay.stop(1000)
await store.close()
rmSync(directory, { recursive: true })
sink.disconnect()

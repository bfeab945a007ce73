import { expect, test } from 'vitest'
import { SearchClient } from './search-client.ts'

/** A thread that always has more to index, 10 ms at a time. */
const thread = `import { parentPort } from 'node:worker_threads'
parentPort.on('message', ({ kind }) => {
  if (kind === 'close') process.exit()
  parentPort.postMessage({ kind: 'indexed', tookMs: 10, state: { upTo: 0, octets: 0, more: true } })
})`

interface Indexing {
  client: SearchClient
  /** What waits for its time. */
  scheduled: { ms: number; run: () => void }[]
  /** So many messages come in one commit. */
  arrive(count: number): void
  /** Lets time pass up to what waits, and does that. */
  wait(): void
  /** Does so, has a piece indexed while `meanwhile` is done, and hears of it after so long; gives the rest that is left then. */
  piece(meanwhile: () => void, heardAfterMs?: number): Promise<number | undefined>
}

function startIndexing(): Indexing {
  let newest = 1000
  let elapsed = 0
  const scheduled: Indexing['scheduled'] = []
  let wake = Promise.withResolvers<void>()
  const client = new SearchClient({
    url: new URL(`data:text/javascript,${encodeURIComponent(thread)}`),
    data: { path: '/nowhere', keeps: true } as never,
    clock: { elapsed: () => elapsed, busy: () => ({ [Symbol.dispose]() {} }) } as never,
    deadline: {
      after(ms: number, run: () => void) {
        scheduled.push({ ms, run })
        wake.resolve()
        return { [Symbol.dispose]() {} }
      },
    } as never,
    log: {} as never,
    limits: { searchIndexOctets: 1e9, searchIndexDelayMs: 1000 },
    newest: () => newest,
    hasRoom: () => true,
  })
  const wait = (): void => {
    const next = scheduled.shift()
    elapsed += next?.ms ?? 0
    next?.run()
  }
  return {
    client,
    scheduled,
    wait,
    arrive(count) {
      newest += count
      client.committed([])
    },
    async piece(meanwhile, heardAfterMs = 10) {
      wake = Promise.withResolvers()
      wait()
      meanwhile()
      elapsed += heardAfterMs
      await wake.promise
      return scheduled[0]?.ms
    },
  }
}

test('indexing rests long while mail comes in, and not for flags that change', async () => {
  const { client, piece, arrive } = startIndexing()
  await piece(() => {})
  expect(await piece(() => client.committed([]))).toBe(10)
  expect(await piece(() => arrive(1))).toBe(150)
  // A main thread that was busy with FETCH for 50 ms at a time had indexing rest for as long again after each piece.
  expect(await piece(() => arrive(1), 50)).toBe(110)
  expect(await piece(() => {}, 50)).toBe(0)
  await client.close()
})

test('indexing waits for the end of a flood of mail, but not for ever', async () => {
  const { client, piece, arrive, scheduled, wait } = startIndexing()
  const waits = () => scheduled[0]?.ms === 1000
  // What was there before is no flood.
  await piece(() => {})
  expect(await piece(() => {})).toBe(10)
  for (let seconds = 0; seconds < 30; seconds++) {
    arrive(101)
    wait()
    expect(waits()).toBe(true)
  }
  arrive(101)
  expect(await piece(() => {})).toBe(150)
  arrive(101)
  wait()
  // Still the same flood.
  expect(waits()).toBe(false)
  await client.close()
})

test('a database that is damaged where the newest message stands ends indexing, not the server', () => {
  const scheduled: (() => void)[] = []
  const logged: string[] = []
  const client = new SearchClient({
    url: new URL('data:text/javascript,'),
    data: { path: '/nowhere', keeps: true } as never,
    clock: {} as never,
    deadline: { after: (_: number, run: () => void) => scheduled.push(run) } as never,
    log: { error: (_: object, text: string) => logged.push(text) } as never,
    limits: { searchIndexOctets: 1e9, searchIndexDelayMs: 1 },
    newest: () => {
      throw new Error('database disk image is malformed')
    },
    hasRoom: () => true,
  })
  scheduled.shift()?.()
  client.committed([])
  expect(scheduled).toEqual([])
  expect(client.stats()).toEqual({ index: 'stopped', behind: 0, octets: 0 })
  expect(logged).toEqual(['search: nothing more is indexed'])
})

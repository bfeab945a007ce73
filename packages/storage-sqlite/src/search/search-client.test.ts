import { expect, test } from 'vitest'
import { SearchClient } from './search-client.ts'

/** A thread that always has more to index, 10 ms at a time. */
const thread = `import { parentPort } from 'node:worker_threads'
parentPort.on('message', ({ kind }) => {
  if (kind === 'close') process.exit()
  parentPort.postMessage({ kind: 'indexed', tookMs: 10, state: { behind: 0, octets: 0, more: true } })
})`

/** Of a flag in a mailbox. */
const commit: Parameters<SearchClient['committed']>[0] = { gone: [], mailboxes: [[7, [1, 9]]] }

test('indexing rests long while mail comes in, and not for flags that change', async () => {
  let newest = 1000
  let elapsed = 0
  const scheduled: { ms: number; run: () => void }[] = []
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
    limits: { searchIndexOctets: 1e9, searchIndexDelayMs: 1 },
    newest: () => newest,
    hasRoom: () => true,
  })
  /** Has a piece indexed while `meanwhile` is done, and hears of it after so long; gives the rest that is left then. */
  const piece = async (meanwhile: () => void, heardAfterMs = 10): Promise<number | undefined> => {
    wake = Promise.withResolvers()
    scheduled.shift()?.run()
    meanwhile()
    elapsed += heardAfterMs
    await wake.promise
    return scheduled[0]?.ms
  }
  client.opened(1)
  await piece(() => {})
  expect(await piece(() => client.committed(commit))).toBe(10)
  const arrives = () => {
    newest++
    client.committed(commit)
  }
  expect(await piece(arrives)).toBe(70)
  // A main thread that was busy with FETCH for 50 ms at a time had indexing rest for as long again after each piece.
  expect(await piece(arrives, 50)).toBe(30)
  expect(await piece(() => {}, 50)).toBe(0)
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
  client.opened(1)
  scheduled.shift()?.()
  client.committed(commit)
  expect(scheduled).toEqual([])
  expect(client.stats()).toEqual({ index: 'stopped', behind: 1, octets: 0 })
  expect(logged).toEqual(['search: nothing more is indexed'])
})

import { rmSync } from 'node:fs'
import { systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { bundledWorkers } from '../test/bundled-workers.ts'
import { addAlice, openStore, temporaryDirectory } from '../test/temporary-store.ts'
import { KeeperClient } from './keeper-client.ts'

/** A keeper that answers a check with so many faults in one message. */
const keeper = (faults: number): URL => {
  const code = `import { parentPort } from 'node:worker_threads'
    parentPort.on('message', ({ kind, id }) => {
      if (kind === 'close') return parentPort.close()
      const fault = { fault: 'counter-wrong', where: '', advice: '' }
      parentPort.postMessage({ kind: 'faults', id, faults: new Array(${faults}).fill(fault) })
      parentPort.postMessage({ kind: 'done', id })
    })`
  return new URL(`data:text/javascript,${encodeURIComponent(code)}`)
}

test('a check of a store in which very much is wrong tells all of it', async () => {
  const client = new KeeperClient(keeper(300_000), { database: '', contents: '' }, (error) => {
    throw error
  })
  expect(await client.check(1)).toHaveLength(300_000)
  await client.close()
})

test('is not started in a server with little to do', async () => {
  const { writer } = await bundledWorkers()
  const clock = virtualClock()
  const errors: Error[] = []
  const directory = temporaryDirectory()
  const store = await openStore(directory, {
    clock,
    deadline: { ...systemDeadline, after: (ms, run) => clock.after(ms, run) },
    // It could not be.
    workers: { writer, keeper: new URL('file:///nowhere/keeper.js') },
    onFatal: (error) => errors.push(error),
  })
  await addAlice(store)
  expect(store.stats().walFrames).toBeGreaterThan(0)
  await clock.advance(600_000)
  await store.close()
  expect(errors).toEqual([])
  rmSync(directory, { recursive: true })
})

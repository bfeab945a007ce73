import { expect, test } from 'vitest'
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

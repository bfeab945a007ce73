import { type Deadline, type Log, silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { scriptedResolver } from '../../test/scripted-resolver.ts'
import { CheckWorker } from './check-worker.ts'
import type { SpfRequest } from './messages.ts'

const never = new AbortController().signal
const request: SpfRequest = { kind: 'spf', clientAddress: '192.0.2.1', helo: 'x.test', reversePath: '', hostname: 'mx' }

/** A worker of one line: `message` is what arrives, `send` answers it. */
const workerOf = (line: string) =>
  new URL(
    `data:text/javascript,${encodeURIComponent(
      `import { parentPort } from 'node:worker_threads'
       const send = (message) => parentPort.postMessage(message)
       parentPort.on('message', (message) => { ${line} })`,
    )}`,
  )

function open(line: string, log: Log = silentLog) {
  const clock = virtualClock()
  const patience: { task: () => void; isOver: boolean }[] = []
  const deadline: Deadline = {
    after(_delayMs, task) {
      const timer = { task, isOver: false, refresh() {}, [Symbol.dispose]: () => void (timer.isOver = true) }
      patience.push(timer)
      return timer
    },
    signal: () => never,
  }
  const worker = new CheckWorker({
    url: workerOf(line),
    resolver: scriptedResolver({}),
    clock,
    deadline,
    log,
    keysMs: 1,
  })
  return Object.assign(worker, { clock, patience })
}

test('a worker that hangs is stopped, and the next request has a new one', async () => {
  const logged: string[] = []
  const hangs = `if (message.helo === 'hang') for (;;); else if (message.kind === 'spf') send({ id: message.id, kind: 'done', answer: 1 })`
  await using worker = open(hangs, { ...silentLog, error: (_facts, text) => logged.push(text) })
  const giveUp = new AbortController()
  const hanging = worker.spf({ ...request, helo: 'hang' }, giveUp.signal)
  const behind = worker.spf(request, never)
  giveUp.abort(new Error('too long'))
  await expect(hanging).rejects.toThrow('too long')
  const ended = expect(behind).rejects.toThrow('the check worker ended')
  expect(worker.patience).toMatchObject([{ isOver: false }])
  worker.patience[0]?.task()
  await ended
  expect(logged).toEqual(['the check worker hangs and is started anew'])
  expect(await worker.spf(request, never)).toBe(1)
  expect(worker.patience).toMatchObject([{ isOver: true }])
})

test('a worker that dies takes only its requests with it', async () => {
  await using worker = open(
    `if (message.helo === 'die') process.exit(1); send({ id: message.id, kind: 'done', answer: 2 })`,
  )
  await expect(worker.spf({ ...request, helo: 'die' }, never)).rejects.toThrow('the check worker ended')
  expect(await worker.spf(request, never)).toBe(2)
  expect(worker.clock.held()).toEqual([])
})

test('a body that breaks off after the worker has died stops no other worker', async () => {
  await using worker = open('process.exit(1)')
  const body = Promise.withResolvers<Buffer>()
  async function* octets() {
    yield await body.promise
  }
  await expect(worker.signatures(octets(), never)).rejects.toThrow('the check worker ended')
  body.reject(new Error('the file is gone'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(worker.patience).toEqual([])
})

test('what the worker says of a request that was given up is not heard', async () => {
  await using worker = open(
    `if (message.kind === 'cancel') for (const kind of ['cancelled', 'done', 'taken']) send({ id: message.id, kind })`,
  )
  const giveUp = new AbortController()
  const given = worker.spf(request, giveUp.signal)
  giveUp.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
})

test('the next chunk waits until the last was taken', async () => {
  const counts = `
    globalThis.open ??= 0
    if (message.kind === 'chunk' && ++globalThis.open > 1) send({ id: message.id, kind: 'failed', reason: 'two at once' })
    else if (message.last) send({ id: message.id, kind: 'done', answer: message.octets.length })
    else if (message.kind === 'chunk') setTimeout(() => { globalThis.open--; send({ id: message.id, kind: 'taken' }) }, 1)`
  await using worker = open(counts)
  async function* octets() {
    for (let i = 0; i < 10; i++) yield Buffer.alloc(60_000)
  }
  expect(await worker.signatures(octets(), never)).toBe(600_000 % 65_536)
})

test('after its end every request is refused', async () => {
  const worker = open('')
  const pending = worker.spf(request, never)
  const refused = expect(pending).rejects.toThrow('the check worker ended')
  await worker[Symbol.asyncDispose]()
  await refused
  await expect(worker.spf(request, never)).rejects.toThrow('closed')
})

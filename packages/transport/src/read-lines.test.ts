import { expect, test } from 'vitest'
import { createDuplexPair } from './duplex-pair.ts'
import { LineReader, overlong } from './line-reader.ts'
import { type LineHandlers, readLines } from './read-lines.ts'

const ticks = async (): Promise<void> => {
  for (let tick = 0; tick < 5; tick++) await new Promise(setImmediate)
}

function recorder(): LineHandlers & { seen: string[] } {
  const seen: string[] = []
  return {
    seen,
    onLine: (line) => void seen.push(line.toString()),
    onOverlong: () => void seen.push(String(overlong.description)),
    onEnd: () => void seen.push('end'),
  }
}

test('lines in order, then the end', async () => {
  const { client, server } = createDuplexPair()
  const handlers = recorder()
  readLines(server, new LineReader(16), handlers)
  client.write('USER a\r\nPA')
  client.write('SS b\r\n')
  client.write(`${'x'.repeat(40)}\r\n`)
  client.end('QUIT\r\nunfinished')
  await ticks()
  expect(handlers.seen).toEqual(['USER a', 'PASS b', 'over-long line', 'QUIT', 'end'])
})

test('a line waits for the work of the one before, and the stream with it', async () => {
  const { client, server } = createDuplexPair()
  const handlers = recorder()
  const work = Promise.withResolvers<void>()
  handlers.onLine = (line) => {
    handlers.seen.push(line.toString())
    return line.toString() === 'slow' ? work.promise : undefined
  }
  readLines(server, new LineReader(16), handlers)
  client.write('slow\r\nnext\r\n')
  client.end('last\r\n')
  await ticks()
  expect(handlers.seen).toEqual(['slow'])
  expect(server.isPaused()).toBe(true)
  work.resolve()
  await ticks()
  expect(handlers.seen).toEqual(['slow', 'next', 'last', 'end'])
})

test('after stop nothing is called, and what is held stays in the reader', async () => {
  const { client, server } = createDuplexPair()
  const handlers = recorder()
  const reader = new LineReader(16)
  const reading = readLines(server, reader, handlers)
  handlers.onLine = (line) => {
    handlers.seen.push(line.toString())
    reading.stop()
  }
  client.end('STLS\r\nUSER injected\r\n')
  await ticks()
  expect(handlers.seen).toEqual(['STLS'])
  expect(server.listenerCount('data')).toBe(0)
  expect(reader.next()?.toString()).toBe('USER injected')
})

test('octets that the reader holds already are read first', async () => {
  const { client, server } = createDuplexPair()
  const reader = new LineReader(16)
  reader.push(Buffer.from('early\r\n'))
  const handlers = recorder()
  readLines(server, reader, handlers)
  client.write('later\r\n')
  await ticks()
  expect(handlers.seen).toEqual(['early', 'later'])
})

test('a connection that breaks ends the reading once', async () => {
  const { client, server } = createDuplexPair()
  server.on('error', () => {})
  const handlers = recorder()
  readLines(server, new LineReader(16), handlers)
  client.write('NOOP\r\n')
  await ticks()
  client.resetAndDestroy()
  await ticks()
  expect(handlers.seen).toEqual(['NOOP', 'end'])
})

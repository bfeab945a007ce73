import { expect, test } from 'vitest'
import { createDuplexPair } from './duplex-pair.ts'

const ticks = async (): Promise<void> => {
  for (let tick = 0; tick < 5; tick++) await new Promise(setImmediate)
}

test('octets arrive in a later tick, and each way by itself', async () => {
  const { client, server } = createDuplexPair()
  const seen: string[] = []
  server.on('data', (chunk: Buffer) => seen.push(`server ${chunk}`))
  client.on('data', (chunk: Buffer) => seen.push(`client ${chunk}`))
  client.write('a')
  server.write('b')
  expect(seen).toEqual([])
  await ticks()
  expect(seen).toEqual(['server a', 'client b'])
})

test('a reader that stands still holds the writer back', async () => {
  const { client, server } = createDuplexPair()
  let written = 0
  const piece = Buffer.alloc(16_384)
  for (let count = 0; count < 64; count++) client.write(piece, () => (written += piece.length))
  await ticks()
  expect(written).toBeLessThan(200_000)
  server.resume()
  for (let turn = 0; turn < 50; turn++) await ticks()
  expect(written).toBe(64 * 16_384)
})

test('one side may end while the other goes on', async () => {
  const { client, server } = createDuplexPair()
  const seen: string[] = []
  server.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  server.on('end', () => server.end('reply'))
  client.on('data', (chunk: Buffer) => seen.push(chunk.toString()))
  client.end('QUIT')
  await ticks()
  expect(seen).toEqual(['QUIT', 'reply'])
  expect(client.destroyed && server.destroyed).toBe(true)
})

test('a destroyed end looks like an end to the other, whose writes then fail', async () => {
  const { client, server } = createDuplexPair()
  const seen: string[] = []
  server.on('end', () => seen.push('end'))
  server.on('error', (error: NodeJS.ErrnoException) => seen.push(String(error.code)))
  server.resume()
  client.destroy()
  await ticks()
  expect(seen).toEqual(['end'])
  server.write('anybody?')
  await ticks()
  expect(seen).toEqual(['end', 'EPIPE'])
})

test('a write that waits for room fails when the other end goes', async () => {
  const { client, server } = createDuplexPair()
  client.on('error', () => {})
  let failed: string | undefined
  client.write(Buffer.alloc(200_000), (error) => {
    failed = (error as NodeJS.ErrnoException | null)?.code
  })
  await ticks()
  server.destroy()
  await ticks()
  expect(failed).toBe('EPIPE')
})

test('a reset is seen as one', async () => {
  const { client, server } = createDuplexPair()
  const errors: unknown[] = []
  server.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
  client.resetAndDestroy()
  await ticks()
  expect(errors).toEqual(['ECONNRESET'])
})

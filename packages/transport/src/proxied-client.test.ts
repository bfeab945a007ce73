import { once } from 'node:events'
import { expect, test } from 'vitest'
import { dial, dialTls, readAll, readSome, testListener, testMaterial } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import { type Connection, createConnectionLimiter } from './index.ts'

const isProxy = (address: string): boolean => address === '127.0.0.1'
const header = (address: string): string => `PROXY TCP4 ${address} 127.0.0.1 4711 143\r\n`
/** Tells who the client is, then what it says. */
const telling = (connection: Connection): void => {
  connection.stream.write(`${connection.remote.address} `)
  connection.stream.on('data', (chunk: Buffer) => connection.stream.write(chunk))
  connection.stream.on('end', () => connection.end())
}

test('the client that a proxy names is who has connected, and what came behind the header is its own', async () => {
  const listener = await testListener({ onConnection: telling, isProxy })
  const proxy = await dial(listener)
  proxy.end(`${header('192.0.2.7')}hello`)
  expect(await readAll(proxy)).toBe('192.0.2.7 hello')
})

test('a header that comes octet by octet is read', async () => {
  const listener = await testListener({ onConnection: telling, isProxy })
  const proxy = await dial(listener)
  for (const octet of header('192.0.2.7')) {
    proxy.write(octet)
    await new Promise(setImmediate)
  }
  expect(await readSome(proxy)).toBe('192.0.2.7 ')
})

test('a proxy that speaks for itself is the client', async () => {
  const listener = await testListener({ onConnection: telling, isProxy })
  const proxy = await dial(listener)
  proxy.write('PROXY UNKNOWN\r\n')
  expect(await readSome(proxy)).toBe('127.0.0.1 ')
})

test('others have no header, and what they say is not taken for one', async () => {
  const listener = await testListener({ onConnection: telling, isProxy: () => false })
  const client = await dial(listener)
  client.end(header('192.0.2.7'))
  expect(await readAll(client)).toBe(`127.0.0.1 ${header('192.0.2.7')}`)
})

test('with implicit TLS the header comes before the handshake', async () => {
  const contexts = await testMaterial()
  const listener = await testListener({ onConnection: telling, isProxy, tls: 'implicit', contexts })
  const proxy = await dial(listener)
  proxy.write(header('192.0.2.7'))
  expect(await readSome(await dialTls(proxy))).toBe('192.0.2.7 ')
})

test('clients count, not their proxy', async () => {
  const limiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 1 })
  const listener = await testListener({ onConnection: telling, isProxy, limiter, refusal: (reason) => `no: ${reason}` })
  const [one, two, again] = [await dial(listener), await dial(listener), await dial(listener)]
  one.write(header('192.0.2.7'))
  expect(await readSome(one)).toBe('192.0.2.7 ')
  two.write(header('192.0.2.8'))
  expect(await readSome(two)).toBe('192.0.2.8 ')
  again.write(header('192.0.2.7'))
  expect(await readAll(again)).toBe('no: address')
})

test('a proxy that says nothing is dropped after five seconds, and its place is free', async () => {
  const time = createManualTime()
  const limiter = createConnectionLimiter({ connections: 1, connectionsPerAddress: 0 })
  const listener = await testListener({ onConnection: telling, isProxy, limiter }, time)
  const silent = await dial(listener)
  while (listener.open === 0) await new Promise(setImmediate)
  expect(limiter.open).toBe(1)
  time.advance(5_000)
  expect(await readAll(silent)).toBe('')
  expect([limiter.open, listener.open]).toEqual([0, 0])
})

test.each(['EHLO client.test\r\n', 'PROXY TCP4 nonsense\r\n'])('a proxy that says %j is dropped', async (said) => {
  const listener = await testListener({ onConnection: telling, isProxy })
  const proxy = await dial(listener)
  proxy.write(said)
  expect(await readAll(proxy)).toBe('')
  expect(listener.open).toBe(0)
})

test('who has not said yet for whom it speaks holds up no end', async () => {
  const listener = await testListener({ onConnection: telling, isProxy })
  const proxy = await dial(listener)
  while (listener.open === 0) await new Promise(setImmediate)
  const gone = once(proxy, 'close')
  expect(await listener.close({ drainMs: 60_000 })).toBe(0)
  await gone
})

import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { dial, dialTls, readAll, readSome, temporaryDirectory, testListener, testMaterial } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import { createDuplexPair } from './duplex-pair.ts'
import { type Connection, createConnectionLimiter, ListenError } from './index.ts'

const echo = (connection: Connection): void => {
  connection.stream.on('data', (chunk: Buffer) => connection.stream.write(chunk))
  connection.stream.on('end', () => connection.end('bye'))
}

/** Resolves with the connections as they begin. */
function arrivals(): { onConnection(connection: Connection): void; next(): Promise<Connection> } {
  const come: Connection[] = []
  let wake: (() => void) | undefined
  return {
    onConnection(connection) {
      come.push(connection)
      wake?.()
    },
    async next() {
      while (come.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return come.shift()!
    },
  }
}

describe('where it listens', () => {
  test('a free port of IPv4, and says which', async () => {
    const listener = await testListener({ onConnection: echo })
    expect(listener.bound.port).toBeGreaterThan(0)
    const client = await dial(listener)
    client.write('hello')
    expect(await readSome(client)).toBe('hello')
  })

  test('IPv6, where the client is known by its plain address', async () => {
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection, endpoint: { address: '::1', port: 0 } })
    await dial(listener)
    const connection = await next()
    expect(connection.remote.address).toBe('::1')
    expect(connection.network).toBe('::/64')
  })

  test('an IPv4 client of a dual-stack listener counts as IPv4', async () => {
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection, endpoint: { address: '::', port: 0 } })
    const client = createConnection(listener.bound.port, '127.0.0.1')
    onTestFinished(() => void client.destroy())
    const connection = await next()
    expect(connection.remote.address).toBe('127.0.0.1')
    expect(connection.local.address).toBe('127.0.0.1')
  })

  test('a client that had reset the connection before it was accepted passed for one of a Unix socket', async () => {
    const addresses: string[] = []
    const listener = await testListener({
      onConnection(connection) {
        addresses.push(connection.remote.address)
        connection.destroy()
      },
    })
    const { port } = listener.bound
    // While it runs, nothing is accepted here.
    const clients = `for (let count = 0; count < 5; count++) {
      const client = require('node:net').connect(${port}, '127.0.0.1', () => client.resetAndDestroy())
    }`
    spawnSync(process.execPath, ['-e', clients])
    await readAll(await dial(listener))
    expect(addresses).toEqual(['127.0.0.1'])
  })

  test('a Unix socket with its mode, gone after close', async () => {
    const path = join(await temporaryDirectory(), 'lmtp.sock')
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection, endpoint: { path, mode: 0o660 } })
    expect(statSync(path).mode & 0o777).toBe(0o660)
    const client = createConnection({ path })
    onTestFinished(() => void client.destroy())
    expect((await next()).remote).toEqual({ address: '', port: 0 })
    await listener.close({ drainMs: 0 })
    expect(existsSync(path)).toBe(false)
  })

  test('a Unix socket that a killed server left behind is replaced, one that answers is not', async () => {
    const path = join(await temporaryDirectory(), 'lmtp.sock')
    const first = await testListener({ onConnection: echo, endpoint: { path } })
    await expect(testListener({ onConnection: echo, endpoint: { path } })).rejects.toThrow(/in use by another program/)
    // Node removes the socket when it closes its server; moving it away for a moment keeps it, as kill -9 does.
    renameSync(path, `${path}.left`)
    await first.close({ drainMs: 0 })
    renameSync(`${path}.left`, path)
    const second = await testListener({ onConnection: echo, endpoint: { path } })
    expect(second.bound).toEqual({ address: path, port: 0 })
  })

  test('a file in the place of a Unix socket is never removed', async () => {
    const path = join(await temporaryDirectory(), 'precious')
    writeFileSync(path, 'mail')
    await expect(testListener({ onConnection: echo, endpoint: { path } })).rejects.toThrow(ListenError)
    expect(existsSync(path)).toBe(true)
  })

  test('a Unix socket in a directory that is not there was said to be a port below 1024', async () => {
    const path = join(await temporaryDirectory(), 'missing', 'lmtp.sock')
    await expect(testListener({ onConnection: echo, endpoint: { path } })).rejects.toThrow(/there is no such directory/)
  })

  test('a path that is too long for a Unix socket was an "invalid argument"', async () => {
    const path = join(await temporaryDirectory(), 'x'.repeat(110))
    await expect(testListener({ onConnection: echo, endpoint: { path } })).rejects.toThrow(/choose a shorter one/)
  })

  test('a port in use is named with its service', async () => {
    const first = await testListener({ onConnection: echo })
    const again = testListener({ onConnection: echo, service: 'imaps', endpoint: first.bound })
    await expect(again).rejects.toMatchObject({
      name: 'ListenError',
      code: 'EADDRINUSE',
      message: `imaps: cannot listen on 127.0.0.1:${first.bound.port}: it is in use by another program (EADDRINUSE)`,
    })
  })
})

describe('limits', () => {
  const refusal = (reason: string): string => `* BYE too many (${reason})\r\n`

  test('a client too many hears so and is closed; a place that is free again is given away', async () => {
    const { onConnection, next } = arrivals()
    const limiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 1 })
    const listener = await testListener({ onConnection, limiter, refusal })
    const first = await dial(listener)
    const { stream } = await next()
    stream.resume().once('end', () => stream.end())
    expect(await readAll(await dial(listener))).toBe('* BYE too many (address)\r\n')
    const gone = once(stream, 'close')
    first.destroy()
    await gone
    await dial(listener)
    expect((await next()).closed).toBe(false)
  })

  test('whoever has logged in leaves the count of its address', async () => {
    const { onConnection, next } = arrivals()
    const limiter = createConnectionLimiter({ connections: 2, connectionsPerAddress: 1 })
    const listener = await testListener({ onConnection, limiter, refusal })
    await dial(listener)
    ;(await next()).leaveAddressLimit()
    await dial(listener)
    ;(await next()).leaveAddressLimit()
    expect(await readAll(await dial(listener))).toBe('* BYE too many (total)\r\n')
    expect(listener.open).toBe(2)
  })

  test('with implicit TLS no handshake is spent on a refusal', async () => {
    const limiter = createConnectionLimiter({ connections: 1, connectionsPerAddress: 0 })
    const { onConnection, next } = arrivals()
    const contexts = await testMaterial()
    const listener = await testListener({ onConnection, limiter, refusal, tls: 'implicit', contexts })
    await dialTls(listener)
    await next()
    expect(await readAll(await dial(listener))).toBe('')
  })

  test('a session that cannot begin costs its own connection only', async () => {
    let broken = true
    const listener = await testListener({
      onConnection(connection) {
        if (broken) throw new Error('no')
        connection.end('well')
      },
    })
    expect(await readAll(await dial(listener))).toBe('')
    broken = false
    expect(await readAll(await dial(listener))).toBe('well')
  })
})

describe('drain', () => {
  test('stops accepting, tells the sessions, and waits for the last', async () => {
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection })
    const client = await dial(listener)
    const connection = await next()
    let told = 0
    connection.onDrain(() => told++)
    const closed = listener.close({ drainMs: 10_000 })
    await Promise.resolve()
    expect(told).toBe(1)
    expect(connection.draining).toBe(true)
    const late = createConnection(listener.bound.port, '127.0.0.1')
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
    connection.end('* BYE\r\n')
    expect(await readAll(client)).toBe('* BYE\r\n')
    expect(await closed).toBe(0)
  })

  test('destroys at the deadline whoever stays', async () => {
    const time = createManualTime()
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection }, time)
    const client = await dial(listener)
    await next()
    const closed = listener.close({ drainMs: 5_000 })
    await Promise.resolve()
    const gone = once(client, 'close')
    time.advance(5_000)
    expect(await closed).toBe(1)
    await gone
    expect(listener.close({ drainMs: 1 })).toStrictEqual(closed)
  })

  test('whoever stays was dropped without a word: there is a second for it, and no more', async () => {
    const time = createManualTime()
    const { onConnection, next } = arrivals()
    const listener = await testListener({ onConnection }, time)
    const clients = [await dial(listener), await dial(listener)]
    const sessions = [await next(), await next()]
    const [polite, stubborn] = sessions as [Connection, Connection]
    polite.onCutOff(() => polite.end('* BYE\r\n'))
    stubborn.onCutOff(() => {})
    const said = Promise.all(clients.map(readAll))
    const closed = listener.close({ drainMs: 5_000 })
    await Promise.resolve()
    time.advance(5_000)
    while (listener.open > 1) await new Promise(setImmediate)
    expect(stubborn.closed).toBe(false)
    time.advance(1_000)
    expect(await closed).toBe(2)
    expect((await said).toSorted()).toEqual(['', '* BYE\r\n'])
  })

  test('a handshake under way is not waited for', async () => {
    const contexts = await testMaterial()
    const listener = await testListener({ onConnection: echo, tls: 'implicit', contexts })
    const client = await dial(listener)
    while (listener.open === 0) await new Promise(setImmediate)
    const gone = once(client, 'close')
    client.resume()
    expect(await listener.close({ drainMs: 60_000 })).toBe(0)
    await gone
  })
})

test('an in-memory duplex is admitted like a socket', async () => {
  const { onConnection, next } = arrivals()
  const listener = await testListener({ onConnection })
  const { client, server } = createDuplexPair()
  listener.admit(server, { address: '192.0.2.7', port: 4711 }, { address: '192.0.2.1', port: 143 })
  const connection = await next()
  expect(connection.remote.address).toBe('192.0.2.7')
  connection.end('over')
  client.on('end', () => client.end())
  expect(await readAll(client)).toBe('over')
  expect(listener.open).toBe(0)
})

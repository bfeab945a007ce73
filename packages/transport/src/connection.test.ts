import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type Log, silentLog } from '@pennypost/model'
import { describe, expect, test } from 'vitest'
import { dial, dialTls, readAll, readSome, testListener, testMaterial } from '../test/loopback.ts'
import { createManualTime } from '../test/manual-time.ts'
import { createDuplexPair } from './duplex-pair.ts'
import { type Connection, LineReader, readLines } from './index.ts'

/** Answers STLS and repeats every other line, behind the protocol version if there is TLS. */
function session(connection: Connection): void {
  const read = (chunk: Buffer): void => {
    if (!chunk.toString().startsWith('STLS')) {
      connection.stream.write(`${connection.tls?.protocol ?? 'clear'} ${chunk}`)
      return
    }
    connection.stream.removeListener('data', read)
    connection.startTls('+OK\r\n').then(
      () => connection.stream.on('data', read),
      () => {},
    )
  }
  connection.stream.on('data', read)
}

test.each(['none', 'implicit'] as const)('TLS %s: who had left was taken for one who waits', async (tls) => {
  const working = Promise.withResolvers<Connection>()
  const listener = await testListener({
    tls,
    contexts: await testMaterial(),
    onConnection(connection) {
      const onLine = (): Promise<void> => {
        working.resolve(connection)
        return new Promise(() => {})
      }
      readLines(connection.stream, new LineReader(100), { onLine, onOverlong() {}, onEnd() {} })
    },
  })
  const client = tls === 'none' ? await dial(listener) : await dialTls(listener)
  client.write('PASS wrong\r\n')
  const connection = await working.promise
  expect(connection.hasLeft).toBe(false)
  client.destroy()
  await expect.poll(() => connection.hasLeft).toBe(true)
  expect(connection.closed).toBe(false)
})

describe('TLS', () => {
  test('implicit: the session begins behind the handshake', async () => {
    let begun: Connection | undefined
    const contexts = await testMaterial()
    const listener = await testListener({
      tls: 'implicit',
      contexts,
      onConnection(connection) {
        begun = connection
        connection.stream.write('* OK\r\n')
      },
    })
    const client = await dialTls(listener)
    expect(await readSome(client)).toBe('* OK\r\n')
    expect(begun?.tls).toMatchObject({ protocol: 'TLSv1.3', verified: false })
    expect(begun?.tls?.cipher).toMatch(/^TLS_/)
  })

  test('STARTTLS: what came in clear behind the command is never read', async () => {
    const listener = await testListener({ tls: 'starttls', contexts: await testMaterial(), onConnection: session })
    const clear = await dial(listener)
    clear.write('STLS\r\nUSER injected\r\n')
    expect(await readSome(clear)).toBe('+OK\r\n')
    const client = await dialTls(clear)
    client.write('hello')
    expect(await readSome(client)).toBe('TLSv1.3 hello')
  })

  test('STARTTLS: what waits in the socket while the session works is dropped too', async () => {
    const listener = await testListener({
      tls: 'starttls',
      contexts: await testMaterial(),
      onConnection(connection) {
        connection.stream.once('data', async () => {
          connection.stream.pause()
          while (connection.stream.readableLength === 0) await new Promise(setImmediate)
          await connection.startTls('+OK\r\n')
          connection.stream.on('data', (chunk: Buffer) => connection.stream.write(chunk))
        })
      },
    })
    const pair = createDuplexPair()
    listener.admit(pair.server, { address: '192.0.2.7', port: 1 }, { address: '192.0.2.1', port: 110 })
    pair.client.write('STLS\r\n')
    pair.client.write('USER injected\r\n')
    expect(await readSome(pair.client)).toBe('+OK\r\n')
    const client = await dialTls(pair.client)
    client.write('hello')
    expect(await readSome(client)).toBe('hello')
  })

  test('STARTTLS: octets in clear that come after the go-ahead end the connection, not the server', async () => {
    const listener = await testListener({ tls: 'starttls', contexts: await testMaterial(), onConnection: session })
    const clear = await dial(listener)
    clear.write('STLS\r\n')
    expect(await readSome(clear)).toBe('+OK\r\n')
    clear.write('USER injected\r\nPASS injected\r\n')
    await readAll(clear)
    expect(listener.open).toBe(0)
  })

  test('over an in-memory duplex too', async () => {
    const listener = await testListener({ tls: 'starttls', contexts: await testMaterial(), onConnection: session })
    const pair = createDuplexPair()
    listener.admit(pair.server, { address: '192.0.2.7', port: 1 }, { address: '192.0.2.1', port: 110 })
    pair.client.write('STLS\r\n')
    expect(await readSome(pair.client)).toBe('+OK\r\n')
    const client = await dialTls(pair.client)
    client.write('hello')
    expect(await readSome(client)).toBe('TLSv1.3 hello')
  })

  test('a handshake has a deadline that single octets do not extend', async () => {
    const time = createManualTime()
    const contexts = await testMaterial()
    const listener = await testListener({ tls: 'implicit', contexts, onConnection: session }, time)
    const client = await dial(listener)
    client.write(Buffer.of(0x16))
    while (listener.open === 0) await new Promise(setImmediate)
    time.advance(29_000)
    client.write(Buffer.of(0x03))
    expect(listener.open).toBe(1)
    time.advance(1_000)
    await readAll(client)
    expect(listener.open).toBe(0)
  })

  test('a client that leaves before the handshake does not keep its place until the deadline', async () => {
    const contexts = await testMaterial()
    const listener = await testListener({ tls: 'implicit', contexts, onConnection: session }, createManualTime())
    for (const octets of [Buffer.alloc(0), Buffer.from('1603010200', 'hex')]) {
      const client = await dial(listener)
      client.end(octets)
      await readAll(client)
      expect(listener.open).toBe(0)
    }
  })

  test.each<[string, (client: Socket) => unknown, (connection: Connection) => boolean, RegExp]>([
    // No limit counted it any more.
    ['gone', (client) => client.resetAndDestroy(), ({ closed }) => closed, /left before the handshake/],
    ['silent for good', (client) => client.end(), ({ stream }) => stream.readableEnded, /left before the handshake/],
    [
      'silent for good after that',
      (client) => client.end('USER x\r\n'),
      ({ stream }) => stream.readableLength > 0,
      /left during the handshake/,
    ],
  ])('STARTTLS of a client that was %s was waited for until the deadline', async (_, leave, hasLeft, reason) => {
    const begun: Connection[] = []
    const time = createManualTime()
    const contexts = await testMaterial()
    const onConnection = (connection: Connection): void => void begun.push(connection)
    const listener = await testListener({ tls: 'starttls', contexts, onConnection }, time)
    const client = await dial(listener)
    while (begun.length < 1) await new Promise(setImmediate)
    const [connection] = begun as [Connection]
    // Read as far as its end, and still to be worked.
    connection.stream.read(0)
    leave(client)
    while (!hasLeft(connection)) await new Promise(setImmediate)
    // What came before this has been read.
    await dial(listener)
    while (begun.length < 2) await new Promise(setImmediate)
    const refused = expect(connection.startTls('+OK\r\n')).rejects.toThrow(reason)
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    time.advance(30_000)
    await refused
    while (!connection.closed) await new Promise(setImmediate)
  })

  test.each(['implicit', 'starttls'] as const)('%s: the log says whose handshake failed, and why', async (tls) => {
    const told: unknown[][] = []
    const log: Log = { ...silentLog, info: (...line: unknown[]) => void told.push(line) }
    const listener = await testListener({ tls, contexts: await testMaterial(), onConnection: session, log })
    const client = await dial(listener)
    if (tls === 'starttls') {
      client.write('STLS\r\n')
      await readSome(client)
    }
    client.write('GET / HTTP/1.1\r\n\r\n')
    await readAll(client)
    const facts = { service: 'test', remote: '127.0.0.1', error: 'http request' }
    expect(told).toEqual([[facts, 'no TLS session']])
  })

  test('a client that speaks no TLS to a TLS port is dropped', async () => {
    const contexts = await testMaterial()
    const listener = await testListener({ tls: 'implicit', contexts, onConnection: session })
    const client = await dial(listener)
    client.write('a1 LOGIN alice secret\r\n')
    expect(await readAll(client)).not.toContain('OK')
    expect(listener.open).toBe(0)
  })

  test('a broken record after the handshake ends the connection', async () => {
    const contexts = await testMaterial()
    const listener = await testListener({ tls: 'implicit', contexts, onConnection: session })
    const raw = await dial(listener)
    const client = await dialTls(raw)
    client.write('hello')
    await readSome(client)
    raw.write('this is no TLS record at all')
    await readAll(client)
    while (listener.open > 0) await new Promise(setImmediate)
  })
})

describe('end', () => {
  test('a client that has closed its side still gets its replies', async () => {
    const listener = await testListener({
      onConnection({ stream }) {
        stream.resume()
        stream.on('end', () => setImmediate(() => stream.end('250 late but whole\r\n')))
      },
    })
    const client = await dial(listener)
    client.end('QUIT\r\n')
    expect(await readAll(client)).toBe('250 late but whole\r\n')
  })

  test('a peer that does not close after our end is destroyed', async () => {
    const time = createManualTime()
    const listener = await testListener({ onConnection: (connection) => connection.end('bye') }, time)
    const { client, server } = createDuplexPair()
    listener.admit(server, { address: '192.0.2.7', port: 1 }, { address: '192.0.2.1', port: 110 })
    client.resume()
    await once(client, 'end')
    expect(listener.open).toBe(1)
    time.advance(5_000)
    await new Promise(setImmediate)
    expect(listener.open).toBe(0)
  })

  test('a slow reader gets everything that was written before the end', async () => {
    const time = createManualTime()
    const letter = 'x'.repeat(500_000)
    const listener = await testListener(
      {
        onConnection(connection) {
          connection.stream.write(letter)
          connection.end('bye')
        },
      },
      time,
    )
    const slow = createDuplexPair()
    const still = createDuplexPair()
    for (const { server } of [slow, still])
      listener.admit(server, { address: '192.0.2.7', port: 1 }, { address: '', port: 0 })
    time.advance(59_000)
    slow.client.on('end', () => slow.client.end())
    expect((await readAll(slow.client)).length).toBe(letter.length + 3)
    time.advance(1_000)
    await new Promise(setImmediate)
    expect(listener.open).toBe(0)
  })

  test('one idle timer: refreshed by activity, replaced at login, gone with the connection', async () => {
    const time = createManualTime()
    const { client, server } = createDuplexPair()
    let connection!: Connection
    const listener = await testListener({ onConnection: (begun) => void (connection = begun) }, time)
    listener.admit(server, { address: '192.0.2.7', port: 1 }, { address: '192.0.2.1', port: 110 })
    const said: string[] = []
    connection.idleAfter(60_000, () => said.push('login'))
    time.advance(59_000)
    connection.active()
    time.advance(59_000)
    expect(said).toEqual([])
    connection.idleAfter(600_000, () => said.push('idle'))
    time.advance(599_000)
    expect(said).toEqual([])
    time.advance(1_000)
    expect(said).toEqual(['idle'])
    connection.idleAfter(60_000, () => said.push('after the end'))
    client.resetAndDestroy()
    await new Promise((resolve) => server.once('close', resolve))
    time.advance(60_000)
    expect(said).toEqual(['idle'])
  })
})

test('a listener without material cannot be told to speak TLS', async () => {
  await expect(testListener({ tls: 'starttls', onConnection: session })).rejects.toThrow(
    'test: TLS without TLS material',
  )
})

import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { constants, createInflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib'
import { seededRandom } from '@pennypost/model/testing'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** COMPRESS=DEFLATE (RFC 4978), with a client whose side of it is zlib's. */
describe('COMPRESS', () => {
  let server: TestServer
  beforeEach(async () => {
    server = await TestServer.start()
    server.options.compress = true
  })
  afterEach(() => server.stop())

  /** A logged-in client that has just been told to compress. */
  async function compressed(): Promise<{ clear: DialogueClient; client: DialogueClient }> {
    const clear = server.connect()
    await clear.response()
    clear.send(Buffer.from('a LOGIN alice secret\r\n'))
    expect(await clear.response()).toContain('COMPRESS=DEFLATE')
    clear.send(Buffer.from('b COMPRESS DEFLATE\r\n'))
    expect(await clear.response()).toBe('b OK DEFLATE from here on')
    return { clear, client: new DialogueClient(inflated(clear.stream)) }
  }

  test('everything behind the OK is compressed, both ways, literals too', async () => {
    await server.deliver('INBOX', sampleMessage('large'))
    const { client } = await compressed()
    client.send(Buffer.from('c CAPABILITY\r\nd SELECT INBOX\r\n'))
    expect(await client.response()).not.toContain('COMPRESS=DEFLATE')
    for (let line = await client.response(); !line?.startsWith('d OK'); line = await client.response()) {
      expect(line).toBeDefined()
    }
    client.send(Buffer.from('e FETCH 1 BODY.PEEK[]\r\n'))
    expect(await client.response()).toContain(sampleMessage('large').toString('latin1').slice(-2000))
    expect(await client.response()).toBe('e OK FETCH completed')
    client.send(Buffer.from('f COMPRESS DEFLATE\r\n'))
    expect(await client.response()).toBe('f NO [COMPRESSIONACTIVE] DEFLATE is in use already')
  })

  /** All that the server has said since it compresses: up to the answer to UNAUTHENTICATE, and in clear behind it until this. */
  async function heard(stream: Duplex, last: RegExp): Promise<{ compressed: string; clear: string }> {
    stream.removeAllListeners('data')
    let octets = Buffer.alloc(0)
    stream.on('data', (chunk: Buffer) => {
      octets = Buffer.concat([octets, chunk])
    })
    for (;;) {
      const { compressed, end } = upToUnauthenticate(octets)
      const clear = octets.subarray(end).toString('latin1')
      if (last.test(clear)) return { compressed, clear }
      await once(stream, 'data')
    }
  }

  test('UNAUTHENTICATE ends it, and it can begin anew', async () => {
    server.options.offersTls = true
    const { clear } = await compressed()
    const all = heard(clear.stream, /^e OK/m)
    clear.stream.write(deflateRawSync(Buffer.from('c NOOP\r\nd UNAUTHENTICATE\r\n'), flushed))
    clear.stream.write('e LOGIN bob secret\r\n')
    const said = await all
    expect(said.compressed).toMatch(/^c OK NOOP completed\r\nd OK \[CAPABILITY IMAP4rev1 STARTTLS .*\r\n$/)
    expect(said.clear).toMatch(/^e OK \[CAPABILITY .* COMPRESS=DEFLATE .*\r\n$/)
    const anew = new DialogueClient(clear.stream)
    anew.send(Buffer.from('f COMPRESS DEFLATE\r\n'))
    expect(await anew.response()).toBe('f OK DEFLATE from here on')
    const client = new DialogueClient(inflated(clear.stream))
    client.send(Buffer.from('g NOOP\r\n'))
    expect(await client.response()).toBe('g OK NOOP completed')
  })

  test.each([
    ['flushed', constants.Z_SYNC_FLUSH],
    ['ended', constants.Z_FINISH],
  ])('what is in clear behind UNAUTHENTICATE is read so, where the client has %s', async (_, finishFlush) => {
    await server.deliver('INBOX', sampleMessage('large'))
    const { clear } = await compressed()
    const all = heard(clear.stream, /^f OK/m)
    const commands = 'c SELECT INBOX\r\nd FETCH 1 BODY.PEEK[]\r\ne UNAUTHENTICATE\r\n'
    const said = deflateRawSync(Buffer.from(commands), { finishFlush })
    clear.stream.write(Buffer.concat([said, Buffer.from('f LOGIN bob secret\r\n')]))
    expect((await all).compressed).toMatch(/\r\nd OK FETCH completed\r\ne OK /)
  })

  test('the last words arrive before the end', async () => {
    const { client } = await compressed()
    client.send(Buffer.from('c LOGOUT\r\n'))
    expect(await client.response()).toBe('* BYE Logging out')
    expect(await client.response()).toBe('c OK LOGOUT completed')
    expect(await client.response()).toBeUndefined()
  })

  test('who read nothing of its last words kept the connection for as long as it liked', async () => {
    const { mail } = server.store
    let fetched = 0
    server.options.mail = {
      ...mail,
      fetch(...args) {
        fetched++
        return mail.fetch(...args)
      },
    }
    const octets = Buffer.from(seededRandom(3).bytes(30_000).toString('base64'))
    await server.deliver('INBOX', Buffer.concat([Buffer.from('Subject: x\r\n\r\n'), octets]))
    const { clear, client } = await compressed()
    clear.stream.unpipe().pause()
    // More than lies between the two ends, and less than what answers wait for.
    const reads = 'd FETCH 1 BODY.PEEK[]\r\n'.repeat(6)
    client.send(Buffer.from(`c SELECT INBOX\r\n${reads}e LOGOUT\r\n`))
    await vi.waitFor(() => expect([fetched, server.service.openMailboxes]).toEqual([6, 0]))
    await server.time.advance(10 * 60_000)
    await vi.waitFor(() => expect(server.service.sessions).toBe(0))
  })

  test('rubbish ends the connection', async () => {
    const { clear, client } = await compressed()
    clear.stream.write(Buffer.alloc(100, 0xff))
    expect(await client.response()).toBeUndefined()
  })

  test('a little that becomes very much is a line that is too long', async () => {
    const { clear, client } = await compressed()
    clear.stream.write(deflateRawSync(Buffer.alloc(50_000_000, 'x'), { finishFlush: constants.Z_SYNC_FLUSH }))
    client.send(Buffer.from('\r\nc NOOP\r\n'))
    expect(await client.response()).toMatch(/ BAD .*long/)
    expect(await client.response()).toBe('c OK NOOP completed')
  })

  test('a little that became very much without a line end was read past for as long as it went on', async () => {
    server.options.limits = { swallowed: 1_000_000 }
    const { clear, client } = await compressed()
    clear.stream.write(deflateRawSync(Buffer.alloc(50_000_000, 'x'), { finishFlush: constants.Z_SYNC_FLUSH }))
    expect(await client.response()).toMatch(/ BAD .*long/)
    expect(await client.response()).toBe('* BYE Too much to read past')
    expect(await client.response()).toBeUndefined()
  })

  test('is not there unless it is asked for, and knows DEFLATE alone', async () => {
    const { client } = await compressed()
    client.send(Buffer.from('c COMPRESS LZ4\r\n'))
    expect(await client.response()).toBe('c NO LZ4 is not offered')
    const other = await TestServer.start()
    const plain = other.connect()
    await plain.response()
    plain.send(Buffer.from('a LOGIN alice secret\r\nb COMPRESS DEFLATE\r\n'))
    expect(await plain.response()).not.toContain('COMPRESS')
    expect(await plain.response()).toMatch(/^b BAD /)
    await other.stop()
  })
})

const flushed = { finishFlush: constants.Z_SYNC_FLUSH }

/** What was said up to the flush behind that command's answer, and where that ends; nothing before it is there. */
function upToUnauthenticate(octets: Buffer): { compressed: string; end: number } {
  for (let end = 0; ; ) {
    const at = octets.indexOf('0000ffff', end, 'hex')
    if (at < 0) return { compressed: '', end: octets.length }
    end = at + 4
    const compressed = inflateRawSync(octets.subarray(0, end), flushed).toString('latin1')
    if (compressed.endsWith('UNAUTHENTICATE completed\r\n')) return { compressed, end }
  }
}

/** The client's end of a compressed connection. */
function inflated(stream: Duplex): Duplex {
  stream.removeAllListeners('data')
  const inflate = createInflateRaw()
  stream.pipe(inflate)
  return Duplex.from({
    readable: inflate,
    writable: async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) stream.write(deflateRawSync(chunk, { finishFlush: constants.Z_SYNC_FLUSH }))
    },
  })
}

/** However a client flushes what it compresses, and wherever the octets are cut on their way, it is answered as in clear. */
import { setImmediate } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

const uids = fc.constantFrom('1', '3:4', '1:*', '5', '*', '2,4,6')
const command = fc.oneof(
  uids.map((set) => `UID STORE ${set} +FLAGS (\\Deleted)`),
  uids.map((set) => `UID STORE ${set} (UNCHANGEDSINCE 9) +FLAGS.SILENT (\\Seen)`),
  uids.map((set) => `UID MOVE ${set} Trash`),
  uids.map((set) => `UID EXPUNGE ${set}`),
  uids.map((set) => `UID FETCH ${set} (FLAGS BODY.PEEK[])`),
  fc.constantFrom('EXPUNGE', 'IDLE\r\nDONE', 'APPEND INBOX {12+}\r\nSubject: x\r\n'),
)
const flush = fc.constantFrom(constants.Z_SYNC_FLUSH, constants.Z_PARTIAL_FLUSH, constants.Z_FULL_FLUSH, undefined)
/** How many octets come next, and how they are flushed. */
const cut = fc.record({ size: fc.integer({ min: 1, max: 400 }), flush, turn: fc.boolean() })
type Cut = { size: number; flush: number | undefined; turn: boolean }

/** All that is said to who logs in and sends this, compressed in these cuts, or in clear. */
async function heard(commands: readonly string[], cuts?: readonly Cut[]): Promise<string> {
  const server = await TestServer.start()
  server.options.compress = true
  for (const name of ['simple', 'multipart', 'large', 'utf8']) await server.deliver('INBOX', sampleMessage(name))
  const { stream } = await server.alice(...(cuts ? ['COMPRESS DEFLATE'] : ['NOOP']))
  stream.removeAllListeners('data')
  const all = ['SELECT INBOX (CONDSTORE)', ...commands, 'SELECT Trash', 'FETCH 1:* UID', 'LOGOUT']
  const octets = Buffer.from(all.map((command, at) => `c${at} ${command}\r\n`).join(''))
  const input = cuts ? stream.pipe(createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })) : stream
  let said = ''
  input.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  if (cuts) await send(stream, await deflated(octets, cuts), cuts)
  else stream.write(octets)
  await expect.poll(() => said).toMatch(/LOGOUT completed\r\n$/)
  await server.stop()
  return said
}

async function deflated(octets: Buffer, cuts: readonly Cut[]): Promise<Buffer> {
  const deflate = createDeflateRaw()
  const pieces: Buffer[] = []
  deflate.on('data', (piece: Buffer) => pieces.push(piece))
  const flushed = promisify((kind: number, done: () => void) => deflate.flush(kind, done))
  for (let at = 0, next = 0; at < octets.length; next++) {
    const { size, flush } = cuts[next % cuts.length] as Cut
    deflate.write(octets.subarray(at, at + size))
    if (flush !== undefined) await flushed(flush)
    at += size
  }
  await flushed(constants.Z_SYNC_FLUSH)
  await setImmediate()
  return Buffer.concat(pieces)
}

async function send(stream: NodeJS.WritableStream, octets: Buffer, cuts: readonly Cut[]): Promise<void> {
  for (let at = 0, next = 0; at < octets.length; next++) {
    const { size, turn } = cuts[next % cuts.length] as Cut
    stream.write(Buffer.from(octets.subarray(at, at + size)))
    if (turn) await setImmediate()
    at += size
  }
}

test('what is compressed is answered as in clear, wherever it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(command, { maxLength: 15 }),
      fc.array(cut, { minLength: 1, maxLength: 20 }),
      async (commands, cuts) => {
        expect(await heard(commands, cuts)).toBe(await heard(commands))
      },
    ),
    { seed: 4978, numRuns: 40, endOnFailure: true },
  )
})

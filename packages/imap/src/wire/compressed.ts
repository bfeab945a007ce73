import type { Duplex } from 'node:stream'
import { constants, createDeflateRaw, createInflateRaw, type InflateRaw } from 'node:zlib'

/**
 * Both directions of a connection while COMPRESS is in force (RFC 4978): raw DEFLATE over what was the stream.
 *
 * Never broken: each write is flushed to a point at which the client can read it whole; whoever sends rubbish, or a
 * little that becomes very much, loses the connection or is read no faster than its lines are worked off. What stands
 * behind a flush of the client is not inflated before the command in front of it is done, for it may be in clear.
 */
export interface Compressed {
  /** What the client says. */
  readonly input: Duplex
  /** What it is told; ending it says the rest. */
  readonly output: Duplex
  /** There may be room for more of what the client says. */
  flow(): void
  /** Ends both directions with a last word; resolves when it has left, with what has come in clear (RFC 8437 §4.1). */
  end(last: string): Promise<Buffer>
}

/**
 * @param first what the client has sent behind the command without waiting
 * @param isReady whether what it has said before is worked off
 */
export function compress(stream: Duplex, first: Buffer, isReady: () => boolean): Compressed {
  const input = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  // A smaller window and memory than the default: 40 KB less for each connection, and some percent more octets.
  const output = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH, windowBits: 14, memLevel: 7 })
  for (const one of [input, output]) one.on('error', () => stream.destroy())
  stream.on('close', () => {
    input.destroy()
    output.destroy()
  })
  output.pipe(stream, { end: false })
  // A client that takes nothing is dropped by its output: that is ours, and the stream below must go too.
  const onDropped = (): void => {
    if (!output.writableFinished) stream.destroy()
  }
  output.on('close', onDropped)
  const inflow = new Inflow(stream, input, isReady)
  inflow.take(first)
  return {
    input,
    output,
    flow: () => inflow.flow(),
    async end(last) {
      const clear = inflow.end()
      // No end of the DEFLATE stream: it would come behind the last word, which is where a client stops inflating.
      output.write(last)
      while ((output.writableLength > 0 || output.readableLength > 0) && !output.destroyed) await dataOrClose(output)
      output.removeListener('close', onDropped)
      output.unpipe(stream)
      for (const one of [input, output]) one.destroy()
      return clear
    },
  }
}

/** What the client sends, inflated piece by piece. */
class Inflow {
  readonly #stream: Duplex
  readonly #input: InflateRaw
  readonly #isReady: () => boolean
  readonly #waiting: Buffer[] = []
  #isWriting = false
  #hasEnded = false
  /** The client has ended its side of the compression, or it ends altogether. */
  #isOver = false

  constructor(stream: Duplex, input: InflateRaw, isReady: () => boolean) {
    this.#stream = stream
    this.#input = input
    this.#isReady = isReady
    stream.on('data', this.#onData)
    stream.on('end', this.#onEnd)
  }

  take(chunk: Buffer): void {
    this.#waiting.push(...pieces(chunk))
    this.flow()
  }

  /** The next piece, once all before it has been worked off. */
  flow(): void {
    if (this.#isWriting || this.#isOver) return
    if (this.#waiting.length === 0) {
      if (this.#hasEnded) this.#input.end()
      else this.#stream.resume()
      return
    }
    if (this.#input.readableLength > 0 || !this.#isReady()) return
    const piece = this.#waiting.shift() as Buffer
    const before = this.#input.bytesWritten
    this.#isWriting = true
    this.#input.write(piece, () => {
      this.#isWriting = false
      const taken = this.#input.bytesWritten - before
      if (taken < piece.length) {
        this.#isOver = true
        this.#waiting.unshift(piece.subarray(taken))
      }
      this.flow()
    })
  }

  /** Inflates no more; gives what has come and was not. */
  end(): Buffer {
    this.#isOver = true
    this.#stream.removeListener('data', this.#onData)
    this.#stream.removeListener('end', this.#onEnd)
    return Buffer.concat(this.#waiting)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#stream.pause()
    this.take(chunk)
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.flow()
  }
}

function dataOrClose(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.removeListener('data', done)
      stream.removeListener('close', done)
      // What a write has made is there before the write counts as done.
      setImmediate(resolve)
    }
    stream.on('data', done)
    stream.on('close', done)
  })
}

/** How a flush ends: an empty block that is stored as it is. */
const flushed = Buffer.from([0, 0, 0xff, 0xff])

/** Cut behind each flush; by chance elsewhere too, which does no harm. */
function pieces(chunk: Buffer): Buffer[] {
  const found: Buffer[] = []
  let start = 0
  while (start < chunk.length) {
    const at = chunk.indexOf(flushed, start)
    const end = at < 0 ? chunk.length : at + flushed.length
    found.push(chunk.subarray(start, end))
    start = end
  }
  return found
}

import type { Duplex } from 'node:stream'
import { constants, createDeflateRaw, createInflateRaw } from 'node:zlib'

/**
 * Both directions of a connection once COMPRESS is in force (RFC 4978): raw DEFLATE over what was the stream.
 *
 * Never broken: each write is flushed to a point at which the client can read it whole; whoever sends rubbish, or a
 * little that becomes very much, loses the connection or is read no faster than its lines are worked off.
 */
export interface Compressed {
  /** What the client says. */
  readonly input: Duplex
  /** What it is told; ending it says the rest and then ends the connection's side. */
  readonly output: Duplex
}

export function compress(stream: Duplex): Compressed {
  const input = createInflateRaw({ finishFlush: constants.Z_SYNC_FLUSH })
  // A smaller window and memory than the default: 40 KB less for each connection, and some percent more octets.
  const output = createDeflateRaw({ flush: constants.Z_SYNC_FLUSH, windowBits: 14, memLevel: 7 })
  stream.pipe(input)
  output.pipe(stream)
  for (const one of [input, output]) one.on('error', () => stream.destroy())
  // A client that takes nothing is dropped by its output: that is ours, and the stream below must go too.
  output.on('close', () => {
    if (!output.writableFinished) stream.destroy()
  })
  stream.on('close', () => {
    input.destroy()
    output.destroy()
  })
  return { input, output }
}

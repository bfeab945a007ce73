import { open } from 'node:fs/promises'

const chunkOctets = 256 * 1024

/**
 * Octets of a file from `start` up to `end` (exclusive), in chunks; the file may be unlinked meanwhile. One that is damaged
 * to be shorter gives none: who passes them on has said nothing yet, and can say that.
 */
export async function* readFileRange(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  const file = await open(path, 'r')
  try {
    if ((await file.stat()).size < end) throw new Error(`${path} is shorter than it was`)
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafeSlow(Math.min(chunkOctets, end - at))
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at)
      if (bytesRead === 0) throw new Error(`${path} is shorter than it was`)
      at += bytesRead
      yield chunk.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

/** The same of octets in memory. */
export function* readBufferRange(buffer: Buffer, start: number, end: number): Generator<Buffer> {
  for (let at = start; at < end; at += chunkOctets) yield buffer.subarray(at, Math.min(end, at + chunkOctets))
}

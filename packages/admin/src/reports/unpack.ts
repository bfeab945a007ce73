/**
 * The one document inside an attached report: as it is, gzipped, or in a ZIP archive. Bounded: what unpacks to more than
 * the limit, and what is damaged, gives nothing.
 */
import { promisify } from 'node:util'
import { gunzip, inflateRaw } from 'node:zlib'

/** Octets of a document. */
const documentMax = 10 * 1024 * 1024

export async function unpack(octets: Buffer): Promise<Buffer | undefined> {
  try {
    if (octets[0] === 0x1f && octets[1] === 0x8b)
      return await promisify(gunzip)(octets, { maxOutputLength: documentMax })
    if (octets.subarray(0, 4).equals(localHeader)) return await firstOfZip(octets)
    return octets.length <= documentMax ? octets : undefined
  } catch {
    return undefined
  }
}

const localHeader = Buffer.from('PK\x03\x04', 'latin1')
const centralHeader = Buffer.from('PK\x01\x02', 'latin1')
const endOfDirectory = Buffer.from('PK\x05\x06', 'latin1')

/** By the central directory, which knows the sizes that a streaming writer left open in the local header. */
async function firstOfZip(octets: Buffer): Promise<Buffer | undefined> {
  const end = octets.lastIndexOf(endOfDirectory)
  if (end < 0) return undefined
  const entry = octets.readUInt32LE(end + 16)
  if (!octets.subarray(entry, entry + 4).equals(centralHeader)) return undefined
  const method = octets.readUInt16LE(entry + 10)
  const size = octets.readUInt32LE(entry + 20)
  const local = octets.readUInt32LE(entry + 42)
  if (!octets.subarray(local, local + 4).equals(localHeader)) return undefined
  const start = local + 30 + octets.readUInt16LE(local + 26) + octets.readUInt16LE(local + 28)
  const packed = octets.subarray(start, start + size)
  if (method === 0) return packed
  return method === 8 ? promisify(inflateRaw)(packed, { maxOutputLength: documentMax }) : undefined
}

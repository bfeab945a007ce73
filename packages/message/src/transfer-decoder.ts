import { decodeTransfer, type TransferEncoding } from './transfer-encoding.ts'

/** Undoes a Content-Transfer-Encoding chunk by chunk, for parts that are not to be whole in memory. */
export interface TransferDecoder {
  push(chunk: Buffer): Buffer
  finish(): Buffer
  /** What it has taken and not given yet: another one that begins with it goes on as this one would. */
  held(): Buffer
}

type LineEncoding = 'base64' | 'quoted-printable'

/** Whether octets are other than they stand there. */
export function isEncoded(encoding: TransferEncoding): encoding is LineEncoding {
  return encoding === 'base64' || encoding === 'quoted-printable'
}

/** What may be decoded for itself goes to `decodeTransfer`: in both encodings that is most of any chunk. */
export function createTransferDecoder(encoding: TransferEncoding, held = nothing): TransferDecoder {
  if (!isEncoded(encoding)) return { push: (chunk) => chunk, finish: () => nothing, held: () => nothing }
  return new LineDecoder(encoding, held)
}

class LineDecoder implements TransferDecoder {
  readonly #encoding: LineEncoding
  #rest: Buffer

  constructor(encoding: LineEncoding, held: Buffer) {
    this.#encoding = encoding
    this.#rest = held
  }

  push(chunk: Buffer): Buffer {
    const joined = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = this.#encoding === 'base64' ? wholeGroups(joined) : quotedPrintableCut(joined)
    this.#rest = joined.subarray(end)
    // However much stands between the characters of one group, they are all that matters.
    if (this.#encoding === 'base64') this.#rest = Buffer.from(this.#rest.filter((octet) => isBase64[octet] === 1))
    return this.#decode(joined.subarray(0, end))
  }

  finish(): Buffer {
    const rest = this.#rest
    this.#rest = nothing
    return this.#decode(rest)
  }

  held(): Buffer {
    // A copy: it is kept, and the chunk is large.
    return Buffer.from(this.#rest)
  }

  #decode(octets: Buffer): Buffer {
    return octets.length === 0 ? nothing : (decodeTransfer(octets, this.#encoding) ?? nothing)
  }
}

/** Behind a multiple of four characters, wherever the line ends stand, or padding, which ends a group. */
function wholeGroups(octets: Buffer): number {
  let count = 0
  let end = 0
  for (let at = 0; at < octets.length; at++) {
    if (!isBase64[octets[at] as number]) continue
    count = octets[at] === padding ? 0 : count + 1
    if (count % 4 === 0) end = at + 1
  }
  return end
}

const padding = 61

/** Behind the last line end; in an endless line, where no escape and no white space that may be trailing is cut. */
function quotedPrintableCut(octets: Buffer): number {
  const lineEnd = octets.lastIndexOf(10) + 1
  if (lineEnd > 0 || octets.length < longestLine) return lineEnd
  for (let end = octets.length; end > 1; end--) {
    const last = octets[end - 1]
    if (last !== 32 && last !== 9 && last !== 13 && last !== 61 && octets[end - 2] !== 61) return end
  }
  return octets.length
}

const longestLine = 64 * 1024

const nothing: Buffer = Buffer.alloc(0)

/** By octet: a character of the alphabet, or padding. */
const isBase64 = new Uint8Array(256)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=') isBase64[char.charCodeAt(0)] = 1

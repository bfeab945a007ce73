import { decodeTransfer, type TransferEncoding } from '@pennypost/message'

/** Undoes a Content-Transfer-Encoding chunk by chunk, for parts that are not to be whole in memory. */
export interface TransferDecoder {
  push(chunk: Buffer): Buffer
  finish(): Buffer
}

/** Whole lines go to the decoder of `@pennypost/message`, since both encodings can be cut between lines. */
export function createTransferDecoder(encoding: TransferEncoding): TransferDecoder {
  if (encoding !== 'base64' && encoding !== 'quoted-printable') return { push: (chunk) => chunk, finish: () => nothing }
  return new LineDecoder(encoding)
}

class LineDecoder implements TransferDecoder {
  readonly #encoding: 'base64' | 'quoted-printable'
  #rest: Buffer = nothing

  constructor(encoding: 'base64' | 'quoted-printable') {
    this.#encoding = encoding
  }

  push(chunk: Buffer): Buffer {
    const joined = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const end = this.#encoding === 'base64' ? this.#wholeGroups(joined) : quotedPrintableCut(joined)
    this.#rest = joined.subarray(end)
    return this.#decode(joined.subarray(0, end))
  }

  finish(): Buffer {
    const rest = this.#rest
    this.#rest = nothing
    return this.#decode(rest)
  }

  /** base64 can be cut behind a multiple of four of its characters, wherever the line ends stand. */
  #wholeGroups(octets: Buffer): number {
    let count = 0
    let end = 0
    for (let at = 0; at < octets.length; at++) {
      if (isBase64[octets[at] as number] && ++count % 4 === 0) end = at + 1
    }
    return end
  }

  #decode(octets: Buffer): Buffer {
    return octets.length === 0 ? nothing : (decodeTransfer(octets, this.#encoding) ?? nothing)
  }
}

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

import { allParts } from '../src/parts.ts'
import type { Reencoded } from '../src/reencode.ts'
import { scan } from '../src/scanner.ts'
import { decodeTransfer } from '../src/transfer-encoding.ts'

export const crlf = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'))

/** The message encoded anew, and its leaves decoded, before and after. */
export function reencoded(source: Buffer, reencode: (header: Buffer, body: Buffer, parts: string) => Reencoded) {
  const split = source.indexOf('\r\n\r\n') + 4
  const [header, body] = [source.subarray(0, split), source.subarray(split)]
  const leaves = (of: Buffer, from: number): (string | undefined)[] =>
    allParts(scan(of).index({ header: of.subarray(0, from) }).parts)
      .filter(({ kind }) => kind === 'text' || kind === 'basic')
      .map(({ body: { start, end }, encoding }) =>
        decodeTransfer(of.subarray(from + start, from + end), encoding)?.toString('latin1'),
      )
  const made = reencode(header, body, scan(source).index({ header }).parts)
  const whole = Buffer.concat([made.header, made.body])
  return { ...made, before: leaves(source, split), after: leaves(whole, made.header.length) }
}

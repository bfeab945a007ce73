import type { TransferEncoding } from '@pennypost/message'
import { partAt } from '@pennypost/message'
import type { Extension } from '../extension.ts'
import { type FetchItem, type FetchTarget, rowOf } from '../fetch/fetch-item.ts'
import { Octets } from '../fetch/octets.ts'
import { bodyStretch, sectionOctets } from '../fetch/sections.ts'
import { createTransferDecoder } from '../fetch/transfer-decoder.ts'
import { type Partial, partial, sectionBinary } from '../grammar/section.ts'
import { no } from '../refusal.ts'

/** A part and how it is encoded; null when the message has no such part. */
interface Found {
  octets: Octets
  encoding: TransferEncoding
}

function find(target: FetchTarget, part: readonly number[]): Found | null {
  const row = rowOf(target)
  if (part.length === 0) {
    const whole = sectionOctets(target.session, row, { part, text: 'ALL', fields: [] })
    return whole instanceof Octets ? { octets: whole, encoding: '8bit' } : null
  }
  const info = partAt(row.index?.parts ?? '', part.join('.'))
  if (!info) return null
  const octets = new Octets(row.message, [bodyStretch(row, info.body.start, info.body.end)])
  // RFC 3516 §4.2: composites are sent as they are.
  const composite = info.kind === 'multipart' || info.kind === 'message'
  return { octets, encoding: composite ? '8bit' : info.encoding }
}

/** Runs over the decoded octets: a pass to measure, and one to send, so that nothing is ever whole in memory. */
async function* decoded(target: FetchTarget, { octets, encoding }: Found): AsyncGenerator<Buffer> {
  const decoder = createTransferDecoder(encoding)
  for await (const chunk of octets.chunks(target.session.service.mail)) yield decoder.push(chunk)
  yield decoder.finish()
}

async function measure(target: FetchTarget, found: Found): Promise<{ size: number; hasNul: boolean }> {
  let size = 0
  let hasNul = false
  for await (const chunk of decoded(target, found)) {
    size += chunk.length
    hasNul ||= chunk.includes(0)
  }
  return { size, hasNul }
}

const need = { headerText: true, body: true, index: true }

/** What cannot be given is refused before a word of the response is said. */
function prepare(target: FetchTarget, part: readonly number[]): void | Promise<void> {
  const found = find(target, part)
  if (found?.encoding === 'unknown') throw no('UNKNOWN-CTE', 'The encoding of a part is not known')
  if (found && !found.octets.isHere) return found.octets.check(target.session.service.mail)
}

/** `"BINARY" [".PEEK"] section-binary [partial]` */
function binaryItem(part: readonly number[], range: Partial | undefined, peek: boolean): FetchItem {
  const name = `BINARY[${part.join('.')}]${range ? `<${range.start}>` : ''}`
  return {
    key: `${name}${range?.size ?? ''}`,
    need,
    ...(peek ? {} : { setsSeen: true as const }),
    reads: true,
    prepare: (target) => prepare(target, part),
    async write(target) {
      const found = find(target, part)
      if (!found) return target.out.text(`${name} NIL`)
      const { size, hasNul } = await measure(target, found)
      const start = Math.min(range?.start ?? 0, size)
      const end = range ? Math.min(size, start + range.size) : size
      // literal8 only where a literal can not be (RFC 9051 §4.3.1).
      target.out.text(`${name} ${hasNul ? '~' : ''}{${end - start}}\r\n`)
      let at = 0
      for await (const chunk of decoded(target, found)) {
        target.out.octets(chunk.subarray(Math.max(0, start - at), Math.max(0, end - at)))
        at += chunk.length
        await target.out.ready()
        if (target.out.gone) return
      }
    },
  }
}

/** `"BINARY.SIZE" section-binary` */
function sizeItem(part: readonly number[]): FetchItem {
  const name = `BINARY.SIZE[${part.join('.')}]`
  return {
    key: name,
    need,
    prepare: (target) => prepare(target, part),
    async write(target) {
      const found = find(target, part)
      target.out.text(`${name} ${found ? (await measure(target, found)).size : 0}`)
    },
  }
}

export const binary: Extension = {
  name: 'BINARY',
  rfc: 'RFC 3516',
  capabilities: [{ name: 'BINARY' }],
  fetchItems: [
    { name: 'BINARY', parse: (cursor) => binaryItem(sectionBinary(cursor), partial(cursor), false) },
    { name: 'BINARY.PEEK', parse: (cursor) => binaryItem(sectionBinary(cursor), partial(cursor), true) },
    { name: 'BINARY.SIZE', parse: (cursor) => sizeItem(sectionBinary(cursor)) },
  ],
}

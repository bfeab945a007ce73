/** BINARY in FETCH (RFC 3516): parts without their Content-Transfer-Encoding, and how large they are so. */
import type { FetchNeed } from '@pennypost/model'
import type { Extension } from '../extension.ts'
import { type Encoded, encodedPart, measure, pieceOf, writeDecoded } from '../fetch/decoded.ts'
import { type FetchItem, type FetchTarget, orNil, rowOf } from '../fetch/fetch-item.ts'
import { type Partial, partial, sectionBinary } from '../grammar/section.ts'
import { no } from '../refusal.ts'

function find(target: FetchTarget, part: readonly number[]): Encoded | null {
  return encodedPart(target.session, rowOf(target), part)
}

const need: FetchNeed = { headerText: true, body: true, index: ['parts'] }

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
    setsSeen: !peek,
    reads: true,
    prepare: (target) => prepare(target, part),
    write(target) {
      const found = find(target, part)
      if (!found) return target.out.text(`${name} NIL`)
      const { mail } = target.session.service
      const piece = pieceOf(target.session, found, range)
      const written = measure(mail, piece).then((it) => writeDecoded(target.out, mail, piece, it, `${name} `))
      return orNil(target, written, `${name} NIL`)
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
    write(target) {
      const { session, out } = target
      const found = find(target, part)
      if (!found) return out.text(`${name} 0`)
      const measured = measure(session.service.mail, pieceOf(session, found, undefined))
      return orNil(
        target,
        measured.then(({ size }) => out.text(`${name} ${size}`)),
        `${name} 0`,
      )
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

import type { BodyOctets, SearchText } from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import { FileOctets } from '../content/file-octets.ts'
import type { Statements } from '../statements.ts'
import type { IndexedText } from './search-index.ts'
import { type BodyTexts, wholeOrFound } from './whole-or-found.ts'

/** What the store has of a message, as text: for the index, and for searches in what is not in it. */
export interface Contents {
  statements: Statements
  files: ContentFiles
  text: SearchText
}

/** Larger texts of one message are not kept (characters): a search decodes them each time. */
const maxKept = 1_000_000

const columns = 'header, parts, body, file, body_start, contents.body_size'
const tables = 'contents JOIN messages ON messages.id = contents.message'

type BodyRow = [body: Buffer | null, file: string | null, bodyStart: number, bodySize: number]
type Row = [header: Buffer, parts: string, ...BodyRow]

/**
 * What the index holds of a message, and how many octets were read for that; undefined when it has gone. `onFault` is
 * called where it can not be read, or is no text to us: a search looks into it itself.
 */
export function indexedText(
  contents: Contents,
  message: number,
  onFault: (error: unknown) => void = () => {},
): (IndexedText & { octets: number }) | undefined {
  try {
    const row = rowOf(contents, message)
    if (!row) return undefined
    const [header, parts, ...bodyRow] = row
    const octets = header.length + bodyRow[3]
    using body = bodyOf(contents, bodyRow)
    // Without its file it has gone, of which we are told later than of this state, or is damaged and has a header still.
    if (!body) return { message, octets, ...unkept }
    return { message, octets, ...decodedText(contents.text, header, parts, body.octets) }
  } catch (error) {
    // One message, of a stranger or on a damaged page, must not end the index of all.
    onFault(error)
    return { message, octets: 0, ...unkept }
  }
}

/** The index says nothing of it. */
const unkept = { texts: undefined, keepsBody: false }

function decodedText(
  text: SearchText,
  header: Buffer,
  parts: string,
  octets: BodyOctets,
): Omit<IndexedText, 'message'> {
  const head = text.headerText(header)
  const texts: string[] = []
  let length = head.length
  if (length > maxKept) return unkept
  for (const pieces of text.bodyTexts(parts, octets)) {
    let whole = ''
    for (const piece of pieces) {
      length += piece.length
      if (length > maxKept) return unkept
      whole += piece
    }
    texts.push(whole)
  }
  const body = texts.join('\0')
  return { texts: [head, body], keepsBody: body.length !== octets.length || body !== foldedOctets(text, octets) }
}

function foldedOctets(text: SearchText, octets: BodyOctets): string {
  return text.fold(octets.subarray(0, octets.length).toString('latin1'))
}

/** The header text of one message by decoding it; undefined when it has gone. */
export function decodedHeader({ statements, text }: Contents, message: number): string | undefined {
  const header = statements.pluck('SELECT header FROM contents WHERE message = ?').get(message) as Buffer | undefined
  return header && text.headerText(header)
}

/** The body text of a message of which the index keeps none, since it is its octets; undefined when it has gone. */
export function octetsAsText(contents: Contents, message: number): string | undefined {
  const row = contents.statements
    .raw('SELECT body, file, body_start, body_size FROM contents WHERE message = ?')
    .get(message) as BodyRow | undefined
  if (!row) return undefined
  using body = bodyOf(contents, row)
  return body && foldedOctets(contents.text, body.octets)
}

/** The texts of its body, likewise, as `wholeOrFound` has them. */
export function decodedBody(
  contents: Contents,
  message: number,
  needles: readonly string[],
  most: number,
): BodyTexts | undefined {
  const row = rowOf(contents, message)
  if (!row) return undefined
  const [, parts, ...bodyRow] = row
  using body = bodyOf(contents, bodyRow)
  return wholeOrFound(body ? contents.text.bodyTexts(parts, body.octets) : [], needles, most)
}

function rowOf({ statements }: Contents, message: number): Row | undefined {
  return statements.raw(`SELECT ${columns} FROM ${tables} WHERE contents.message = ?`).get(message) as Row | undefined
}

/** Undefined when its file has gone, and thus the message. */
function bodyOf(
  { files }: Contents,
  [body, file, bodyStart, bodySize]: BodyRow,
): ({ octets: BodyOctets } & Disposable) | undefined {
  if (body || file === null) return { octets: body ?? Buffer.alloc(0), [Symbol.dispose]() {} }
  try {
    const octets = new FileOctets(files.path(file), bodyStart, bodySize)
    return { octets, [Symbol.dispose]: () => octets.close() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

import type { BodyOctets, SearchText } from '@pennypost/model'
import type { ContentFiles } from '../content/content-files.ts'
import { FileOctets } from '../content/file-octets.ts'
import type { Statements } from '../statements.ts'
import type { KeptText } from './search-index.ts'
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

type Row = [
  header: Buffer,
  parts: string,
  body: Buffer | null,
  file: string | null,
  bodyStart: number,
  bodySize: number,
]

/**
 * Texts of the messages above an id, rising: at most `rows`, and no more once `octets` were read. `onRead` is called with
 * each id, also of messages that went meanwhile; `onFault` with what is no text to us: a search looks into it itself.
 */
export function* textsAbove(
  contents: Contents,
  above: number,
  limits: { rows: number; octets: number },
  onRead: (message: number) => void,
  onFault: (message: number, error: unknown) => void,
): Generator<KeptText> {
  const rows = contents.statements
    .raw(
      `SELECT contents.message, ${columns} FROM ${tables} WHERE contents.message > ? ORDER BY contents.message LIMIT ?`,
    )
    .iterate(above, limits.rows) as IterableIterator<[number, ...Row]>
  let octets = 0
  for (const [message, ...row] of rows) {
    const kept = keptText(contents, row, (error) => onFault(message, error))
    if (kept) yield { message, ...kept }
    onRead(message)
    octets += row[0].length + row[5]
    if (octets >= limits.octets) return
  }
}

/** The index says nothing of it. */
const unkept = { head: '', body: null }

function keptText(
  contents: Contents,
  row: Row,
  onFault: (error: unknown) => void,
): { head: string; body: string | null } | undefined {
  using body = bodyOf(contents, row)
  if (!body) return undefined
  try {
    return decodedText(contents, row, body.octets)
  } catch (error) {
    // One message of a stranger must not end the index of all.
    onFault(error)
    return unkept
  }
}

function decodedText(
  { text }: Contents,
  [header, parts]: Row,
  body: BodyOctets,
): { head: string; body: string | null } {
  const head = text.headerText(header)
  const texts: string[] = []
  let length = head.length
  if (length > maxKept) return unkept
  for (const pieces of text.bodyTexts(parts, body)) {
    let whole = ''
    for (const piece of pieces) {
      length += piece.length
      if (length > maxKept) return unkept
      whole += piece
    }
    texts.push(whole)
  }
  return { head, body: texts.join('\0') }
}

/** The header text of one message by decoding it; undefined when it has gone. */
export function decodedHeader({ statements, text }: Contents, message: number): string | undefined {
  const header = statements.pluck('SELECT header FROM contents WHERE message = ?').get(message) as Buffer | undefined
  return header && text.headerText(header)
}

/** The texts of its body, likewise, as `wholeOrFound` has them. */
export function decodedBody(
  contents: Contents,
  message: number,
  needles: readonly string[],
  most: number,
): BodyTexts | undefined {
  const row = contents.statements.raw(`SELECT ${columns} FROM ${tables} WHERE contents.message = ?`).get(message) as
    | Row
    | undefined
  if (!row) return undefined
  using body = bodyOf(contents, row)
  return wholeOrFound(body ? contents.text.bodyTexts(row[1], body.octets) : [], needles, most)
}

/** Undefined when its file has gone, and thus the message. */
function bodyOf({ files }: Contents, row: Row): ({ octets: BodyOctets } & Disposable) | undefined {
  const [, , body, file, bodyStart, bodySize] = row
  if (body || file === null) return { octets: body ?? Buffer.alloc(0), [Symbol.dispose]() {} }
  try {
    const octets = new FileOctets(files.path(file), bodyStart, bodySize)
    return { octets, [Symbol.dispose]: () => octets.close() }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

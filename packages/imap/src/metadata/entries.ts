/** Names and values of annotations on the wire (RFC 5464 §5). */
import { annotationEntry } from '@pennypost/model'
import { bad } from '../refusal.ts'
import type { Cursor } from '../wire/cursor.ts'
import type { Output } from '../wire/output.ts'
import { printAString, printQuoted } from '../wire/strings.ts'

/** An entry as it was asked for: the answer has it in the same spelling. */
export interface AskedEntry {
  written: string
  /** As kept. */
  entry: string
}

/** Where the server keeps what is its own among an account's annotations: clients neither see it nor set it. */
export const reservedEntries = '/private/vendor/pennypost/'

export function isReserved(entry: string): boolean {
  return entry.startsWith(reservedEntries)
}

/** `entry = astring`, as it is kept. */
export function entryName(cursor: Cursor): string {
  const entry = annotationEntry(cursor.astring('Entry'))
  if (entry === undefined) throw invalid()
  return entry
}

/** The same to read, where the whole of `/shared` or `/private` can be meant. */
function askedEntry(cursor: Cursor): AskedEntry {
  const written = cursor.astring('Entry')
  const entry = /^\/(shared|private)$/i.test(written) ? written.toLowerCase() : annotationEntry(written)
  if (entry === undefined) throw invalid()
  return { written, entry }
}

function invalid() {
  return bad('An entry begins with /private/ or /shared/ and has no empty part, * or %')
}

/** `entries = entry / "(" entry *(SP entry) ")"` */
export function askedEntries(cursor: Cursor, limit: number): AskedEntry[] {
  const entries: AskedEntry[] = []
  const read = (): void => {
    const asked = askedEntry(cursor)
    if (!entries.some(({ entry }) => entry === asked.entry)) entries.push(asked)
  }
  if (cursor.peek() === '(') cursor.someOf('Entry', read, limit)
  else read()
  return entries
}

/** `value = nstring / literal8`; null for NIL. */
export function entryValue(cursor: Cursor): Buffer | null {
  if (cursor.atLiteral) return cursor.literal().octets
  const text = cursor.nstring('Value')
  return text === null ? null : Buffer.from(text, 'latin1')
}

/** `entry-value = entry SP value` */
export function writeEntry(out: Output, name: string, value: Buffer | null): void {
  out.text(`${printEntry(name)} `)
  if (value === null) out.text('NIL')
  else if (value.length <= 1000 && isQuotable(value)) out.text(printQuoted(value.toString('latin1')))
  else {
    // NUL is for literal8 alone.
    out.text(`${value.includes(0) ? '~' : ''}{${value.length}}\r\n`)
    out.octets(value)
  }
}

export function printEntry(name: string): string {
  return printAString(name, false)
}

function isQuotable(value: Buffer): boolean {
  return value.every((octet) => octet !== 0 && octet !== 10 && octet !== 13 && octet < 128)
}

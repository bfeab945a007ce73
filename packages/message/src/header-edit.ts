import {
  endOfField,
  type Field,
  fieldName,
  fieldValue,
  type HeaderSection,
  isEmptyLine,
  parseHeader,
} from './fields.ts'
import type { Range } from './parts.ts'

/**
 * Header sections as readers and next hops get them: a delivery block and a trace block
 * before, struck fields left out, everything else to the octet as it came.
 */

/** What to strike from a header section; nothing is struck that is not asked for. */
export interface StrikeRules {
  /** Bcc and Resent-Bcc (RFC 5322 §3.6.3): on submission. */
  bcc?: boolean
  /** Return-Path (RFC 5321 §4.4): only final delivery writes one. */
  returnPath?: boolean
  /** Authentication-Results that claim to be of this authserv-id (RFC 8601 §5). */
  authservId?: string
  /** A first line `From …` of an mbox, which other agents take for the end of the header section. */
  mboxLine?: boolean
}

/** Octet ranges of the struck fields, in order. */
export function strikesOf(header: Buffer, rules: StrikeRules): Range[] {
  const section = parseHeader(header)
  const struck: Range[] = []
  for (const field of section.fields)
    if (isStruck(section, field, rules)) struck.push({ start: field.start, end: field.end })
  return struck
}

function isStruck(section: HeaderSection, field: Field, rules: StrikeRules): boolean {
  const { bcc, returnPath, authservId, mboxLine } = rules
  switch (field.name) {
    case '':
      return mboxLine === true && field.start === 0 && /^>?From /.test(section.text)
    case 'bcc':
    case 'resent-bcc':
      return bcc === true
    case 'return-path':
      return returnPath === true
    case 'authentication-results':
      return authservId !== undefined && claimsToBe(fieldValue(section, field), authservId)
    default:
      return false
  }
}

/** authserv-id is the first value, a token or a quoted string, perhaps behind comments; a version may follow it. */
function claimsToBe(value: string, authservId: string): boolean {
  const [, quoted, token] = /^(?:"((?:[^"\\]|\\.)*)|([^\s;()"]*))/.exec(behindComments(value)) ?? []
  return (quoted?.replace(/\\(.)/g, '$1') ?? token ?? '').toLowerCase() === authservId.toLowerCase()
}

/** Comments nest, and may have quoted pairs (RFC 5322 §3.2.2). */
function behindComments(text: string): string {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string
    if (character === '(') depth++
    else if (depth > 0 && character === '\\') at++
    else if (depth > 0 && character === ')') depth--
    else if (depth === 0 && !/\s/.test(character)) return text.slice(at)
  }
  return ''
}

/** The header section to keep. The trace ends with CRLF or is empty; ranges are in order and do not overlap. */
export function renderHeader(parts: {
  header: Buffer
  /** Received, Authentication-Results, completed fields, DKIM-Signature. */
  trace?: Buffer
  strikes?: readonly Range[]
}): Buffer {
  const { header, trace, strikes = [] } = parts
  const pieces = trace ? [trace] : []
  let from = 0
  for (const { start, end } of strikes) {
    pieces.push(header.subarray(from, start))
    from = end
  }
  pieces.push(from === 0 ? header : header.subarray(from))
  return pieces.length === 1 ? header : Buffer.concat(pieces)
}

/**
 * Which fields BODY[HEADER.FIELDS (…)], or with `not` BODY[HEADER.FIELDS.NOT (…)], shows (RFC 9051 §6.4.5): those to the
 * octet, and the empty line, unless the header section has none. Names in any case. Lines that are no fields are in every
 * NOT. Made once for many headers.
 */
export class FieldChoice {
  readonly #names: ReadonlySet<string>
  readonly #initials: ReadonlySet<number>
  readonly #not: boolean

  constructor(names: readonly string[], not = false) {
    this.#names = new Set(names.map((name) => name.toLowerCase()))
    this.#initials = new Set([...this.#names].map((name) => name.charCodeAt(0)))
    this.#not = not
  }

  of(header: Buffer): Buffer {
    return Buffer.from(this.ofText(header.toString('latin1')), 'latin1')
  }

  /** Of a header section as text with one character per octet. */
  ofText(header: string): string {
    let chosen = ''
    let start = 0
    let colon = -1
    while (start < header.length && !isEmptyLine(header, start)) {
      const end = endOfField(header, start)
      const mayBe = this.#mayBeNamed(header.charCodeAt(start))
      // One forward search: looking for each line's colon alone would be quadratic on junk.
      if (mayBe && colon < start) {
        colon = header.indexOf(':', start)
        if (colon < 0) colon = header.length
      }
      const isNamed = mayBe && colon < end && this.#names.has(fieldName(header, start, colon))
      if (isNamed !== this.#not) chosen += header.slice(start, end)
      start = end
    }
    if (chosen !== '' && !chosen.endsWith('\n')) chosen += '\r\n'
    return start < header.length ? `${chosen}\r\n` : chosen
  }

  /** Only fields that begin with the right letter are looked at closely. */
  #mayBeNamed(first: number): boolean {
    return this.#initials.has(first | 32) || this.#initials.has(first)
  }
}

import { decodeCharset } from './charset.ts'
import { decodeWords } from './encoded-words.ts'

/**
 * `value; name=value; …` of Content-Type and Content-Disposition (RFC 2045 §5.1, RFC 2183), with the continuations of
 * RFC 2231. Reads whatever it is given: a parameter that cannot be understood is left out, the others stay.
 */

export type Parameter = readonly [name: string, value: string]

export interface Parameterized {
  /** `type/subtype` or the disposition, as written, without comments; '' when there is nothing. */
  value: string
  /** Names as written, in order, each once; a name that ends in `*` has a value in the form of RFC 2231 §4. */
  parameters: readonly Parameter[]
}

const maxParameters = 100

/** Parses an unfolded field value. */
export function parseParameterized(text: string): Parameterized {
  if (/^[!#-'*+.0-9A-Z^-~-]+\/[!#-'*+.0-9A-Z^-~-]+$/.test(text)) return { value: text, parameters: [] }
  const reader = new Reader(text)
  const value = reader.readValue()
  const found: [string, string][] = []
  while (reader.nextParameter() && found.length < maxParameters) {
    const parameter = reader.readParameter()
    if (parameter) found.push(parameter)
  }
  return { value, parameters: found.some(([name]) => name.includes('*')) ? joinContinuations(found) : unique(found) }
}

/** The first value of that name (any case), or undefined. */
export function parameterOf(parameters: readonly Parameter[], name: string): string | undefined {
  return parameters.find(([written]) => written.toLowerCase() === name)?.[1]
}

/** A parameter as people read it: RFC 2231 decoded, encoded words (which some agents put there) too. */
export function decodedParameter(parameters: readonly Parameter[], name: string): string | undefined {
  const extended = parameterOf(parameters, `${name}*`)
  const parts = extended === undefined ? null : /^([^']*)'[^']*'(.*)$/s.exec(extended)
  if (parts) return decodeCharset(percentDecode(parts[2] as string), parts[1] || 'utf-8')
  const plain = parameterOf(parameters, name)
  return plain === undefined ? extended : decodeWords(plain)
}

function percentDecode(text: string): Buffer {
  const octets = Buffer.from(text, 'utf8').toString('latin1')
  return Buffer.from(
    octets.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
}

/** `utf-8''…` of RFC 2231 §4 for a value that is not ASCII. */
export function extendedValue(value: string): string {
  return `utf-8''${percentEncode(value)}`
}

const percentEncode = (value: string): string =>
  Buffer.from(value, 'utf8')
    .toString('latin1')
    .replace(
      /[^A-Za-z0-9!#$&+.^_`{|}~-]/g,
      (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
    )

class Reader {
  readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  /** Comments nest (RFC 5322 §3.2.2); an open one takes the rest. */
  skipSpace(): void {
    let depth = 0
    for (; this.at < this.text.length; this.at++) {
      const character = this.text[this.at]
      if (character === '(') depth++
      else if (depth > 0 && character === '\\') this.at++
      else if (depth > 0 && character === ')') depth--
      else if (depth === 0 && character !== ' ' && character !== '\t') return
    }
  }

  readWhile(allowed: RegExp): string {
    allowed.lastIndex = this.at
    const found = allowed.exec(this.text)?.[0] ?? ''
    this.at += found.length
    return found
  }

  /** type "/" subtype, or one token; white space around the slash is forgiven. */
  readValue(): string {
    this.skipSpace()
    const first = this.readWhile(token)
    this.skipSpace()
    if (this.text[this.at] !== '/') return first
    this.at++
    this.skipSpace()
    return `${first}/${this.readWhile(token)}`
  }

  /** Moves behind the next `;` that starts a parameter; junk before it is skipped. */
  nextParameter(): boolean {
    const semicolon = this.text.indexOf(';', this.at)
    this.at = semicolon < 0 ? this.text.length : semicolon + 1
    return semicolon >= 0
  }

  readParameter(): [string, string] | undefined {
    this.skipSpace()
    const name = this.readWhile(token)
    this.skipSpace()
    if (name === '' || this.text[this.at] !== '=') return undefined
    this.at++
    this.skipSpace()
    return [name, this.text[this.at] === '"' ? this.readQuoted() : this.readWhile(looseValue)]
  }

  /** A missing closing quote takes the rest. */
  readQuoted(): string {
    this.at++
    const inner = this.readWhile(quotedContent)
    this.at++
    return inner.includes('\\') ? inner.replace(/\\(.?)/gs, '$1') : inner
  }
}

// token of RFC 2045 §5.1, with octets above 127 forgiven.
const token = /[!#-'*+.0-9A-Z^-~\x80-\uffff-]*/y
// What agents write without quotes, although they should not: anything up to white space of ASCII, a comment or a semicolon.
const looseValue = /[^\t-\r ;("]*/y
const quotedContent = /(?:[^"\\]|\\.)*/sy

function unique(found: readonly [string, string][]): readonly Parameter[] {
  if (found.length < 2) return found
  const seen = new Set<string>()
  return found.filter(([name]) => !seen.has(name.toLowerCase()) && seen.add(name.toLowerCase()))
}

interface Segments {
  name: string
  values: Map<number, { value: string; extended: boolean }>
}

/**
 * RFC 2231 §3 and §6: continuations are joined for BODYSTRUCTURE. A joined value with an extended segment keeps the
 * charset form under `name*`, so that nothing of it is lost; one with a gap ends before the gap.
 */
function joinContinuations(found: readonly [string, string][]): readonly Parameter[] {
  const whole: [string, string][] = []
  const segmented = new Map<string, Segments>()
  for (const [written, value] of found) {
    const parts = /^([^*]+)\*(\d{1,4})(\*?)$/.exec(written)
    if (!parts) {
      whole.push([written, value])
      continue
    }
    const key = (parts[1] as string).toLowerCase()
    let segments = segmented.get(key)
    if (!segments) {
      segments = { name: parts[1] as string, values: new Map() }
      segmented.set(key, segments)
    }
    const number = Number(parts[2])
    if (!segments.values.has(number)) segments.values.set(number, { value, extended: parts[3] === '*' })
  }
  return unique([...whole, ...[...segmented.values()].map(joinSegments)])
}

function joinSegments({ name, values }: Segments): [string, string] {
  const extended = [...values.values()].some((segment) => segment.extended)
  let joined = ''
  for (let number = 0, segment = values.get(0); segment; segment = values.get(++number)) {
    joined += extended && !segment.extended ? percentEncode(segment.value) : segment.value
  }
  if (extended && !values.get(0)?.extended) joined = `''${joined}`
  return [extended ? `${name}*` : name, joined]
}

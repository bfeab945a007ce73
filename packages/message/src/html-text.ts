/** Text of HTML for previews and search: tags go, blocks become spaces, character references are read. */
import { decodeHTML } from 'entities/decode'

/** Elements whose content nobody reads. */
const unread = new Set(['script', 'style', 'head', 'title', 'template'])
/** Elements inside a line: their tags leave no space. */
const inline = new Set([
  'a',
  'abbr',
  'b',
  'big',
  'code',
  'em',
  'font',
  'i',
  'mark',
  's',
  'small',
  'span',
  'strong',
  'sub',
  'sup',
  'tt',
  'u',
  'wbr',
])

/** What a reader sees, each run of white space as one space. */
export function htmlText(html: string): string {
  return joined(readable([html], () => {}))
}

/** The same, and behind it, a line each, what a reader can find out: where links lead, and the words that stand for images. */
export function htmlSearchText(html: string): string {
  let hidden = ''
  const text = joined(
    readable([html], (tag) => {
      hidden += linesOf(tag)
    }),
  )
  return text + hidden
}

/** That of HTML in pieces, which is gone through twice: what a reader can find out may be as long. */
export function* htmlSearchPieces(html: () => Iterable<string>): Generator<string> {
  yield* readable(html(), () => {})
  let hidden = ''
  const betweenTags = textBetweenTags(html(), (tag) => {
    hidden += linesOf(tag)
  })
  for (const _ of betweenTags) {
    yield hidden
    hidden = ''
  }
}

function joined(pieces: Iterable<string>): string {
  let text = ''
  for (const piece of pieces) text += piece
  return text
}

type OnTag = (tag: string) => void

/** White space and character references that may go on are held back to the next piece. */
function* readable(html: Iterable<string>, onTag: OnTag): Generator<string> {
  let held = ''
  for (const piece of textBetweenTags(html, onTag)) {
    const text = (held + piece).replace(whiteSpace, ' ')
    const end = wholeUpTo(text)
    held = text.slice(end)
    yield characters(text.slice(0, end))
  }
  yield characters(held)
}

// A lone space stays as it is: replacing each would be most of the work.
const whiteSpace = /[\t\r\n\f][ \t\r\n\f]*| [ \t\r\n\f]+/g

function wholeUpTo(text: string): number {
  const reference = text.lastIndexOf('&')
  const isOpen = reference >= 0 && text.length - reference < longestReference && /^&[#\w]*$/.test(text.slice(reference))
  if (isOpen) return reference
  return text.endsWith(' ') ? text.length - 1 : text.length
}

const longestReference = 1000

function* textBetweenTags(html: Iterable<string>, onTag: OnTag): Generator<string> {
  const reader = new TagReader(onTag)
  for (const piece of html) yield reader.read(piece, false)
  yield reader.read('', true)
}

/** One forward pass; unclosed comments and unread elements take the rest. */
class TagReader {
  readonly #onTag: OnTag
  /** What cannot be understood before more is there. */
  #rest = ''
  /** What ends a stretch that nobody reads, one behind the other. */
  #ends: string[] = []

  constructor(onTag: OnTag) {
    this.#onTag = onTag
  }

  /** The text, with a space where a tag leaves one. */
  read(piece: string, isLast: boolean): string {
    const html = this.#rest + piece
    let text = ''
    let at = 0
    for (;;) {
      at = this.#afterUnread(html, at)
      if (this.#ends.length > 0) break
      const tag = html.indexOf('<', at)
      text += html.slice(at, tag < 0 ? html.length : tag)
      at = tag < 0 ? html.length : tag
      const end = tag < 0 ? -1 : afterTag(html, tag, isLast)
      if (end < 0) break
      text += this.#tag(html, tag, end)
      at = end
    }
    this.#rest = html.slice(at)
    return text
  }

  /** What it leaves in the text. */
  #tag(html: string, tag: number, end: number): string {
    const name = tagName(html, tag)
    if (name === undefined && html.startsWith('<!--', tag)) this.#ends = ['-->']
    else if (end > tag + 1 && html[end - 1] !== '>') this.#ends = ['>']
    if (name === undefined) return end === tag + 1 ? '<' : ''
    if (unread.has(name)) {
      this.#ends.push(`</${name}`, '>')
      return ''
    }
    this.#onTag(html.slice(tag, end))
    return inline.has(name) ? '' : ' '
  }

  #afterUnread(html: string, from: number): number {
    let at = from
    for (let end = this.#ends[0]; end !== undefined; end = this.#ends[0]) {
      const found = new RegExp(end, 'gi')
      found.lastIndex = at
      if (!found.exec(html)) return Math.max(at, html.length - end.length + 1)
      at = found.lastIndex
      this.#ends.shift()
    }
    return at
  }
}

function tagName(html: string, tag: number): string | undefined {
  tagStart.lastIndex = tag
  return tagStart.exec(html)?.[1]?.toLowerCase()
}

const tagStart = /<\/?([a-z][a-z0-9]{0,20})/iy

/** -1 when more of it has to be seen; what is very long without an end is taken as far as it is there. */
function afterTag(html: string, tag: number, isLast: boolean): number {
  if (html.startsWith('<!--', tag)) return tag + 4
  const next = html[tag + 1]
  if (next === undefined && !isLast) return -1
  if (!/[a-z/!?]/i.test(next ?? '')) return tag + 1
  const end = html.indexOf('>', tag + 1) + 1
  if (end > 0) return end
  return isLast || html.length - tag >= longestTag ? html.length : -1
}

const longestTag = 1_000_000

/** Longer ones are no address that somebody types, but data or what a tracker remembers. */
const longestAttribute = 2000
const attributes = /\s(?:href|alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi

/** What is worth finding in it. */
function linesOf(tag: string): string {
  let lines = ''
  for (const [, quoted, apostrophed, bare] of tag.matchAll(attributes)) {
    const value = quoted ?? apostrophed ?? bare ?? ''
    if (value !== '' && value.length <= longestAttribute) lines += `\n${characters(value)}`
  }
  return lines
}

/** With character references read; those that are to be seen nowhere go, and spaces are spaces. */
function characters(text: string): string {
  const read = text.includes('&') ? decodeHTML(text) : text
  // Mostly there is nothing to do.
  return /[\u00a0\u00ad\u200c]/.test(read) ? read.replace(/[\u00ad\u200c]/g, '').replaceAll('\u00a0', ' ') : read
}

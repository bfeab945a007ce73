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
  return textAndTags(html)
}

/** The same, and behind it, a line each, what a reader can find out: where links lead, and the words that stand for images. */
export function htmlSearchText(html: string): string {
  const hidden: string[] = []
  const text = textAndTags(html, (tag) => {
    for (const value of worthFinding(tag)) hidden.push(value)
  })
  return hidden.length === 0 ? text : `${text}\n${hidden.join('\n')}`
}

/** One forward pass; unclosed comments and unread elements take the rest. */
function textAndTags(html: string, onTag?: (tag: string) => void): string {
  let text = ''
  for (let at = 0; at < html.length; ) {
    const tag = html.indexOf('<', at)
    if (tag < 0) {
      text += html.slice(at)
      break
    }
    text += html.slice(at, tag)
    at = afterTag(html, tag)
    const name = tagName(html, tag)
    if (name === undefined) {
      if (at === tag + 1) text += '<'
    } else if (unread.has(name)) {
      at = afterElement(html, name, at)
    } else {
      if (!inline.has(name)) text += ' '
      onTag?.(html.slice(tag, at))
    }
  }
  return characters(text.replace(whiteSpace, ' '))
}

// A lone space stays as it is: replacing each would be most of the work.
const whiteSpace = /[\t\r\n\f][ \t\r\n\f]*| [ \t\r\n\f]+/g

function tagName(html: string, tag: number): string | undefined {
  tagStart.lastIndex = tag
  return tagStart.exec(html)?.[1]?.toLowerCase()
}

const tagStart = /<\/?([a-z][a-z0-9]{0,20})/iy

function afterTag(html: string, tag: number): number {
  if (html.startsWith('<!--', tag)) return afterOrEnd(html, '-->', tag + 4)
  return /[a-z/!?]/i.test(html[tag + 1] ?? '') ? afterOrEnd(html, '>', tag + 1) : tag + 1
}

function afterOrEnd(html: string, what: string, from: number): number {
  const found = html.indexOf(what, from)
  return found < 0 ? html.length : found + what.length
}

function afterElement(html: string, name: string, from: number): number {
  const closing = new RegExp(`</${name}[^>]*>?`, 'gi')
  closing.lastIndex = from
  return closing.exec(html) ? closing.lastIndex : html.length
}

/** Longer ones are no address that somebody types, but data or what a tracker remembers. */
const longestAttribute = 2000
const attributes = /\s(?:href|alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/gi

function* worthFinding(tag: string): Generator<string> {
  for (const [, quoted, apostrophed, bare] of tag.matchAll(attributes)) {
    const value = quoted ?? apostrophed ?? bare ?? ''
    if (value !== '' && value.length <= longestAttribute) yield characters(value)
  }
}

/** With character references read; those that are to be seen nowhere go, and spaces are spaces. */
function characters(text: string): string {
  return text.includes('&')
    ? decodeHTML(text)
        .replace(/[\u00ad\u200c]/g, '')
        .replace(/\u00a0/g, ' ')
    : text
}

/** Text of HTML for previews and search: tags go, blocks become spaces, character references are read. */

const named: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  copy: '©',
  reg: '®',
  trade: '™',
  euro: '€',
  pound: '£',
  hellip: '…',
  mdash: '—',
  ndash: '–',
  lsquo: '‘',
  rsquo: '’',
  ldquo: '“',
  rdquo: '”',
  bull: '•',
  middot: '·',
  laquo: '«',
  raquo: '»',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  ecirc: 'ê',
  agrave: 'à',
  aacute: 'á',
  acirc: 'â',
  iacute: 'í',
  oacute: 'ó',
  ocirc: 'ô',
  uacute: 'ú',
  ntilde: 'ñ',
  ccedil: 'ç',
  aring: 'å',
  aelig: 'æ',
  oslash: 'ø',
  shy: '',
  zwnj: '',
}

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

/** One forward pass; unclosed comments and unread elements take the rest. */
export function htmlText(html: string): string {
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
    } else if (!inline.has(name)) {
      text += ' '
    }
  }
  return text.includes('&') ? text.replace(/&(#x?)?([a-z0-9]{1,31});?/gi, reference) : text
}

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

function reference(whole: string, numeric: string | undefined, body: string): string {
  if (numeric === undefined) return named[body] ?? named[body.toLowerCase()] ?? whole
  const code = Number.parseInt(body, numeric.length === 2 ? 16 : 10)
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' '
}

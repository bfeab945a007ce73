/** The structure of one part, cut out of the stored structure of its message (`structure.ts`); in the stored form, too. */

/**
 * What BODYSTRUCTURE says of the part with that section part specifier; empty: of the message. Undefined when there is no
 * such part. The levels are those of `partAt`.
 */
export function partStructure(stored: string, part: readonly number[]): string | undefined {
  let found = stored
  for (const [level, number] of part.entries()) {
    let holder = found
    if (level > 0) {
      const inner = innerMessage(found)
      if (inner === undefined && !isMultipart(found)) return undefined
      holder = inner ?? found
    }
    if (isMultipart(holder)) {
      const child = itemsOf(holder)[number - 1]
      if (child?.text[0] !== '(') return undefined
      found = child.text
    } else {
      if (number !== 1) return undefined
      found = holder
    }
  }
  return found
}

/** Content when nothing encodes it: `encoding` is what is said of it then (RFC 2045 §6.2). */
export interface DecodedContent {
  size: number
  lines: number
  encoding: '7bit' | '8bit' | 'binary'
}

/** The same part with its content as it is when nothing encodes it; parts that hold others stay as they are. */
export function decodedStructure(structure: string, { size, lines, encoding }: DecodedContent): string {
  if (isMultipart(structure) || innerMessage(structure) !== undefined) return structure
  const items = itemsOf(structure)
  const instead = new Map([
    [5, `"${encoding}"`],
    [6, `${size}`],
  ])
  if (/^\d+$/.test(items[7]?.text ?? '')) instead.set(7, `${lines}`)
  let text = ''
  let copied = 0
  for (const [index, replacement] of instead) {
    const item = items[index]
    if (!item) continue
    text += structure.slice(copied, item.start) + replacement
    copied = item.start + item.text.length
  }
  return text + structure.slice(copied)
}

function isMultipart(structure: string): boolean {
  return structure.startsWith('((')
}

/** The structure of the message that a part of type message is; undefined for others. */
function innerMessage(structure: string): string | undefined {
  if (isMultipart(structure)) return undefined
  const [, , , , , , , envelope, inner] = itemsOf(structure)
  return envelope?.text[0] === '(' && inner?.text[0] === '(' ? inner.text : undefined
}

interface Item {
  start: number
  text: string
}

/** What a parenthesized list holds. */
function itemsOf(list: string): Item[] {
  const items: Item[] = []
  let depth = 0
  let start = 0
  for (const { index, 0: token } of list.matchAll(/"(?:[^"\\]|\\.)*"|[()]|[^ ()"\u0001\u0002]+/g)) {
    if (token === ')') depth--
    if (depth === 1 && token !== ')') start = index
    if (token === '(') depth++
    else if (depth === 1) items.push({ start, text: list.slice(start, index + token.length) })
  }
  return items
}

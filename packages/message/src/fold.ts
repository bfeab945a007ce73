/**
 * Text as it is compared (RFC 5051 i;unicode-casemap with compatibility decomposition): upper case, so that ASCII sorts
 * as i;ascii-casemap does, and every sigma is one. Needles and texts must be folded the same way.
 * What comes out is well-formed, so that it can be kept as UTF-8.
 */
export function foldText(text: string): string {
  // One octet for each code unit: it is ASCII. A fifth of the time that a regular expression takes to see that.
  if (Buffer.byteLength(text) === text.length) return text.toUpperCase()
  const formed = text.toWellFormed().replaceAll(longest, instead)
  const streamSafe = mayHaveManyMarks(formed) ? formed.replace(manyMarks, `$&${joiner}`) : formed
  return streamSafe.normalize('NFKD').toUpperCase().normalize('NFKD')
}

/** The same of text in pieces, whose cuts may be anywhere. */
export function* foldPieces(text: Iterable<string>): Generator<string> {
  let held = ''
  for (const piece of text) {
    held += piece
    const end = foldCut(held)
    yield foldText(held.slice(0, end))
    held = held.slice(end)
  }
  yield foldText(held)
}

/** Before the last character that is no mark: nothing is sorted over it. A long row is cut where it is broken. */
function foldCut(text: string): number {
  let at = text.length - 1
  while (at > 0 && isWithinMark(text, at)) at--
  const row = text.length - at > mostMarks ? brokenRow.exec(text.slice(at)) : null
  return Math.max(0, at) + (row?.[0].length ?? 0)
}

/**
 * A ligature of eighteen letters that is not taken apart: a message of 50 MB of it would become 600 MB. What it stays as is
 * no character. All others become eight at most.
 */
const longest = '\ufdfa'
const instead = '\ufdd0'

/**
 * Marks in a row are sorted in a time that grows with the square of their number: a letter of a megabyte took minutes. So
 * very long rows are broken, as the Stream-Safe Text Process of Unicode does.
 */
const mostMarks = 128
const joiner = '\u034f'
/** The two of halfwidth katakana become marks. */
const marks = '\\p{M}\uff9e\uff9f'
const manyMarks = new RegExp(`[${marks}]{${mostMarks}}`, 'gu')
const brokenRow = new RegExp(`^[^${marks}]?(?:[${marks}]{${mostMarks}})+`, 'u')
const mark = new RegExp(`[${marks}]`, 'u')

/** A quick look: so many of the places that are looked at are in every row of that many marks. */
const samples = 4

function mayHaveManyMarks(text: string): boolean {
  let found = 0
  for (let at = 0; at < text.length && found < samples; at += mostMarks / samples) {
    found = isWithinMark(text, at) ? found + 1 : 0
  }
  return found === samples
}

/** Second halves of characters may be of a mark. */
function isWithinMark(text: string, at: number): boolean {
  const code = text.codePointAt(at) as number
  if (code < 0x300) return false
  return mark.test(String.fromCodePoint(code)) || (at > 0 && (text.codePointAt(at - 1) as number) > 0xffff)
}

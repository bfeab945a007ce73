/**
 * Search text for tests that need no MIME: headers are unfolded, the body is one piece, folding is lower case.
 * `@pennypost/message` has the real one.
 */
import type { SearchText } from '../ports/store.ts'

export const asciiSearchText: SearchText = {
  fold: (text) => text.toLowerCase(),
  headerText,
  bodyTexts: (_parts, body) => [[body.subarray(0, body.length).toString('utf8').toLowerCase()]],
}

function headerText(header: Buffer): string {
  return header
    .toString('utf8')
    .toLowerCase()
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .filter((line) => line !== '')
    .map(trimmedField)
    .join('')
}

function trimmedField(line: string): string {
  const colon = line.indexOf(':')
  return colon < 0 ? line : `${line.slice(0, colon)}: ${line.slice(colon + 1).trim()}\n`
}

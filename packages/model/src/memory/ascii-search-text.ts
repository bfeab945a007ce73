/**
 * Search text for tests that need no MIME: headers are unfolded, the body is one piece, folding is lower case.
 * `@pennypost/message` has the real one.
 */
import type { SearchText } from '../ports/store.ts'

export const asciiSearchText: SearchText = {
  fold: (text) => text.toLowerCase(),
  headerValues: (header, field) =>
    unfolded(header)
      .split('\r\n')
      .filter((line) => line.startsWith(`${field}:`))
      .map((line) => line.slice(field.length + 1).trim()),
  headerText: unfolded,
  bodyTexts: (_parts, body) => [body.toString('utf8').toLowerCase()],
}

function unfolded(header: Buffer): string {
  return header
    .toString('utf8')
    .toLowerCase()
    .replace(/\r\n(?=[ \t])/g, '')
}

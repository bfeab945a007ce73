import { describe, expect, test } from 'vitest'
import { decodedStructure, partStructure } from './part-structure.ts'
import { allParts } from './parts.ts'
import { scan } from './scanner.ts'
import { structureFor } from './structure.ts'

const message = Buffer.from(
  [
    'Content-Type: multipart/mixed; boundary=a',
    '',
    '--a',
    'Content-Type: text/plain; name="odd \\"(name)"',
    'Content-Transfer-Encoding: base64',
    '',
    'SGVsbG8K',
    '--a',
    'Content-Type: message/rfc822',
    '',
    'Content-Type: multipart/alternative; boundary=b',
    'Subject: within (',
    '',
    '--b',
    '',
    'one',
    '--b',
    'Content-Type: image/png',
    'Content-Transfer-Encoding: base64',
    '',
    'AAA=',
    '--b--',
    '--a',
    'Content-Type: message/rfc822',
    '',
    'Subject: plain',
    '',
    'text',
    '--a--',
    '',
  ].join('\r\n'),
)

const index = scan(message).index()

function shown(path: string): string | undefined {
  const part = path === '' ? [] : path.split('.').map(Number)
  const found = partStructure(index.structure, part)
  return found === undefined ? undefined : structureFor(found, 'BODY')
}

describe('the structure of a part', () => {
  test.each([
    ['1', '("text" "plain" ("name" "odd \\"(name)" "charset" "us-ascii") NIL NIL "base64" 8 0)'],
    ['2.1', '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 0)'],
    ['2.2', '("image" "png" NIL NIL NIL "base64" 4)'],
    ['3.1', '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 4 0)'],
  ])('%s', (path, structure) => expect(shown(path)).toBe(structure))

  test('of the message is the whole', () => expect(shown('')).toBe(structureFor(index.structure, 'BODY')))

  test.each(['4', '1.1', '2.3', '2.1.1', '3.2', '3.1.1'])('%s is none', (path) => expect(shown(path)).toBeUndefined())

  test('is there for each part that has a number', () => {
    const types = allParts(index.parts).map(({ path, type, subtype }) => [path, `"${type}" "${subtype}"`])
    for (const [path, type] of types) expect(shown(path as string)).toContain(type)
    expect(types.map(([path]) => path)).toEqual(['1', '2', '2.1', '2.2', '3', '3.1'])
  })

  test('says what it is like without its encoding', () => {
    const text = partStructure(index.structure, [1]) as string
    const decoded = structureFor(decodedStructure(text, { size: 6, lines: 1, encoding: '8bit' }), 'BODYSTRUCTURE')
    expect(decoded).toBe(
      '("text" "plain" ("name" "odd \\"(name)" "charset" "us-ascii") NIL NIL "8bit" 6 1 NIL NIL NIL NIL)',
    )
    const whole = index.structure
    expect(decodedStructure(whole, { size: 6, lines: 1, encoding: '8bit' })).toBe(whole)
  })
})

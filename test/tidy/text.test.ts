/** Rules about what stands in text: citations in one form, nothing left undone, no test set aside, no machine's paths. */
import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { nameOf, parse, parseText, type Syntax, walk } from './syntax.ts'
import { files, mustHold, place, read, root, sources } from './tree.ts'

const prose = files.filter((path) => path.endsWith('.md'))

/** All matches of the patterns in a file, as `path:line “match”`. */
function matches(path: string, patterns: readonly RegExp[]): string[] {
  const text = read(path)
  return patterns.flatMap((pattern) =>
    [...text.matchAll(pattern)].map((match) => `${place(path, match.index)} “${match[0].trim()}”`),
  )
}

// message/rfc822, RFC822.SIZE and the address type rfc822 are names of protocols, not citations; file names of RFCs, with
// a slash before or an extension behind, are neither.
const misquotes = [
  /(?<![\w/.#-])(?:rfc[ -]?|RFC-?|Rfc ?)(?!822\b)\d{3,5}\b(?!\.(?:txt|html)|-)/g,
  /\bRFC \d{3,5},?\s+(?:[Ss]ect?(?:ion)?s?\b\.?|[Ss]ec\.|[Ss]\.)\s*\d[\d.]*/g,
  /\b[Ss]ections?\s+\d[\d.]*,?\s+of\s+RFC \d{3,5}/g,
  /§\s?[\d.]+,?\s+of\s+RFC \d{3,5}/g,
  /\bRFC \d{3,5}(?:§|,\s*§| {2,}§| § )/g,
  /\bRFC \d{3,5},? \d+\.\d/g,
]

function misquotesIn(text: string): string[] {
  return misquotes.flatMap((pattern) => [...text.matchAll(pattern)].map(([match]) => match))
}

test('citations are told from other text', () => {
  const wrong = [
    'rfc9051',
    'RFC9051',
    'RFC-9051',
    'rfc 9051',
    'RFC 9051 section 6',
    'RFC 9051, Section 6.4',
    'RFC 9051, §6',
  ]
  expect(wrong.filter((text) => misquotesIn(text).length === 0)).toEqual([])
  expect(
    ['section 6.4 of RFC 9051', '§6 of RFC 9051', 'RFC 9051§6', 'RFC 9051 6.4.8'].flatMap(misquotesIn),
  ).toHaveLength(4)
  const right = 'RFC 9051 §6.4.8, RFC 3461, 3464; message/rfc822, RFC822.SIZE, rfc822;bob@two.test, rfc/rfc9051.txt'
  expect(misquotesIn(right)).toEqual([])
})

test('RFCs are cited in one form', () => {
  mustHold(
    'an RFC is cited as “RFC 9051 §6.4.8”',
    [...sources, ...prose]
      .filter((path) => path !== 'test/tidy/text.test.ts')
      .flatMap((path) => matches(path, misquotes)),
  )
})

test('nothing is left undone', () => {
  const marks = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b`, 'g')
  mustHold(
    'no mark of work left undone: do it, or say in the README what falls short',
    [...sources, ...prose].flatMap((path) => matches(path, [marks])),
  )
})

/** Calls that set tests aside; `skipIf`, and `skip` with a reason inside a test, say why and are fine. */
function setAsideIn(tree: Syntax): { start: number; what: string }[] {
  const found: { start: number; what: string }[] = []
  walk(tree, (node) => {
    const name = node.type === 'CallExpression' ? nameOf(node.callee) : undefined
    if (name && /^(?:describe|suite|it|test)\b.*\.(?:only|skip|todo|fails)\b/.test(name)) {
      found.push({ start: node.start, what: name })
    }
  })
  return found
}

test('tests that are set aside are found', () => {
  const names = (text: string) => setAsideIn(parseText(text)).map(({ what }) => what)
  expect(names('it.only("x", f); describe.skip("y", f)')).toEqual(['it.only', 'describe.skip'])
  expect(names('it.skipIf(noPython)("x", f); it("y", (context) => context.skip("no python3"))')).toEqual([])
})

test('no test is set aside', () => {
  mustHold(
    'no .only, .skip, .todo or .fails: skipIf(condition), or context.skip(reason) inside the test',
    sources
      .filter((path) => path.endsWith('.test.ts'))
      .flatMap((path) => setAsideIn(parse(path)).map(({ start, what }) => `${place(path, start)} ${what}`)),
  )
})

test('no path of a machine', () => {
  // Where this clone lies, and what its parents and the home directory give away if they are anybody's own.
  const common = ['/', '/tmp', '/root', '/home', '/srv', '/opt', '/usr', '/var', '/app', '/src', '/build']
  const own = [root, dirname(root), homedir()].filter((path) => path.length > 4 && !common.includes(path))
  const paths = own.map((path) => new RegExp(`${RegExp.escape(path)}(?![\\w-])`, 'g'))
  mustHold(
    'no file names a place on the machine that it was written on',
    files.flatMap((path) => matches(path, [...paths, /(?<![\w.])\/Users\/\w+/g, /\b[A-Z]:\\Users\\\w+/g])),
  )
})

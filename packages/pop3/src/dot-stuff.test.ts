import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DotStuffer } from './dot-stuff.ts'

const stuff = (...chunks: string[]): string => {
  const stuffer = new DotStuffer()
  const pieces = chunks.map((chunk) => stuffer.push(Buffer.from(chunk)))
  return Buffer.concat([...pieces, stuffer.end()]).toString()
}

it.each([
  ['a\r\nb\r\n', 'a\r\nb\r\n.\r\n'],
  ['.\r\n', '..\r\n.\r\n'],
  ['a\r\n.b\r\n..c', 'a\r\n..b\r\n...c\r\n.\r\n'],
  ['', '.\r\n'],
  ['a\n', 'a\n\r\n.\r\n'],
])('%j', (content, sent) => {
  expect(stuff(content)).toBe(sent)
  expect(stuff(...content)).toBe(sent)
})

it('is undone by taking one dot from each line that begins with one, however the octets are cut', () => {
  const lines = fc.array(fc.constantFrom('', '.', '..', 'a', '.a', 'a.'), { maxLength: 8 })
  fc.assert(
    fc.property(lines, fc.array(fc.nat(20), { maxLength: 4 }), (all, cuts) => {
      const content = all.map((line) => `${line}\r\n`).join('')
      const at = [0, ...cuts.map((cut) => cut % (content.length + 1)).sort((a, b) => a - b), content.length]
      const sent = stuff(...at.slice(1).map((end, index) => content.slice(at[index], end)))
      expect(sent.endsWith('.\r\n')).toBe(true)
      expect(sent.slice(0, -3).replace(/^\./gm, '')).toBe(content)
    }),
    { seed: 3, numRuns: 500 },
  )
})

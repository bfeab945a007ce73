/** Random messages around one From, in the parts that canonicalization changes. */
import fc from 'fast-check'

export interface AnyMessage {
  /** Fields above and below From. */
  before: string[]
  after: string[]
  /** Of the body. */
  lines: string[]
}

/** `words`: what values are made of. */
export function anyMessage(words: readonly string[], names: readonly string[]): fc.Arbitrary<AnyMessage> {
  const value = fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((some) => some.join(''))
  const field = fc.tuple(fc.constantFrom(...names), value).map(([name, text]) => `${name}:${text}x\r\n`)
  const line = fc
    .constantFrom('', ' ', 'text', 'two  blanks', 'end ', '\ttab', '\xe9\xe9', '.')
    .map((text) => `${text}\r\n`)
  return fc.record({
    before: fc.array(field, { maxLength: 5 }),
    after: fc.array(field, { maxLength: 5 }),
    lines: fc.array(line, { maxLength: 10 }),
  })
}

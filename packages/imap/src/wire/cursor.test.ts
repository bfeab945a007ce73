import { describe, expect, test } from 'vitest'
import { Cursor, type Literal, utf8 } from './cursor.ts'

/** A cursor over a command; `{…}` in the parts stands for a literal. */
function cursor(...parts: string[]): Cursor {
  const lines = parts.filter((_, index) => index % 2 === 0)
  const literals: Literal[] = parts
    .filter((_, index) => index % 2 === 1)
    .map((text) => ({ octets: Buffer.from(text, 'latin1'), binary: false }))
  return new Cursor({ lines, literals }, 5)
}

describe('cursor', () => {
  test('atom, astring, tag and list-mailbox stop where their production does', () => {
    expect(cursor('abc]d e').atom()).toBe('abc')
    expect(cursor('abc]d e').astring()).toBe('abc]d')
    expect(cursor('a%*d"').listMailbox()).toBe('a%*d')
    expect(cursor('a1.b+c').tag()).toBe('a1.b')
    for (const wrong of ['', ' ', '(', ')', '{', '%', '*', '"', '\\', '\x7f', '\x00', '\xe9']) {
      expect(() => cursor(wrong).atom()).toThrow('expected')
    }
  })

  test('quoted', () => {
    expect(cursor('"a b" c').quoted()).toBe('a b')
    expect(cursor('""').quoted()).toBe('')
    expect(cursor(String.raw`"a\"b\\c"`).quoted()).toBe('a"b\\c')
    expect(cursor('"\xc3\xbc"').quoted()).toBe('\xc3\xbc')
    for (const wrong of ['"a', String.raw`"\n"`, '"\0"', '"\r"', 'a']) expect(() => cursor(wrong).quoted()).toThrow()
  })

  test('literals stand where a string may', () => {
    const command = cursor('x ', 'a\r\nb', ' y')
    expect(command.astring()).toBe('x')
    command.sp()
    expect(command.atLiteral).toBe(true)
    expect(command.string()).toBe('a\r\nb')
    command.sp()
    expect(command.atom()).toBe('y')
    expect(command.atEnd).toBe(true)
    expect(() => cursor('', 'a\0b', '').string()).toThrow('NUL')
    expect(() => cursor('', 'lit', '').crlf()).toThrow('not a literal')
  })

  test('nstring', () => {
    expect(cursor('nil').nstring()).toBeNull()
    expect(cursor('"nil"').nstring()).toBe('nil')
    expect(() => cursor('other').nstring()).toThrow()
  })

  test('numbers keep to their ranges', () => {
    expect(cursor('0').number()).toBe(0)
    expect(cursor('4294967295x').number()).toBe(4294967295)
    expect(cursor('007').nzNumber()).toBe(7)
    expect(cursor('9007199254740991').number64()).toBe(9007199254740991)
    expect(() => cursor('4294967296').number()).toThrow('too large')
    expect(cursor('0009223372036854775807').number64()).toBe(9007199254740991)
    expect(() => cursor('9223372036854775808').number64()).toThrow('too large')
    expect(() => cursor('-1').number64()).toThrow('expected')
    expect(() => cursor('0').nzNumber()).toThrow('above 0')
    expect(() => cursor('-1').number()).toThrow('expected')
  })

  test('lists are bounded in length and depth', () => {
    const read = (text: string, limit: number): string[] => {
      const items: string[] = []
      const command = cursor(text)
      command.list(() => items.push(command.atom()), limit)
      return items
    }
    expect(read('(a b)', 2)).toEqual(['a', 'b'])
    for (const empty of ['()', '( )']) expect(read(empty, 2)).toEqual([])
    for (const spaced of ['( a b)', '(a b )', '( a b )']) expect(read(spaced, 2)).toEqual(['a', 'b'])
    expect(() => read('(a b c)', 2)).toThrow('Too many')
    for (const wrong of ['(a', '(a ', '(a  b)', '(  a)', '(a  )', 'a']) expect(() => read(wrong, 9)).toThrow()
    const deep = cursor('((((((')
    const nest = (): void => deep.list(nest, 9)
    expect(nest).toThrow('nested')
  })

  test('words are read in any case', () => {
    expect(cursor('fEtCh 1').word()).toBe('FETCH')
    expect(cursor('return(').peekWord()).toBe('RETURN')
    expect(cursor('body.Peek[').skip('BODY.PEEK')).toBe(true)
    expect(cursor('bod').skip('BODY')).toBe(false)
  })

  test('error texts never carry what could end a line', () => {
    expect(() => cursor('\x01\x02\xff').atom()).toThrow('before "???"')
  })

  test('utf8', () => {
    expect(utf8('abc')).toBe('abc')
    expect(utf8('\xc3\xbc')).toBe('ü')
    expect(utf8('\xef\xbf\xbd')).toBe('\ufffd')
    expect(() => utf8('\xfc')).toThrow('UTF-8')
    // A replacement character that the client has written is no excuse for what stands beside it.
    expect(() => utf8('\xef\xbf\xbd\xfc')).toThrow('UTF-8')
  })
})

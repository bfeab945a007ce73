import fc from 'fast-check'
import iconv from 'iconv-lite'
import { expect, test } from 'vitest'
import { encodeBase64, encodeQuotedPrintable, foldText, type PartInfo } from './index.ts'
import { partText, searchTextIn } from './search-text.ts'

type Written = Pick<PartInfo, 'subtype' | 'charset' | 'encoding'>

/** The text of a message of this part alone that is searched in pieces of so many octets. */
function inPieces({ subtype, charset, encoding }: Written, body: Buffer, pieceOctets: number): string {
  const parts = `t0 0 0 ${body.length} text/${subtype} ${encoding}${charset && ` ${charset}`}`
  return Array.from(searchTextIn(0, pieceOctets).bodyTexts(parts, body), (pieces) => [...pieces].join('')).join('|')
}

/** Where cuts could do harm. */
const folded = [
  ...[
    'ß',
    'İ',
    'ŉ',
    'ﬁ',
    'ΐ',
    'ς',
    '\u0345',
    'e\u0301',
    '\u0301\u0323',
    'ｶﾞ',
    '가',
    '각',
    '한',
    '漢字',
    '😀',
    '\u{1d15e}',
  ],
  ...['\ufdfa', '\ufeff', '\u0301\u0323'.repeat(100), '\u{1d165}'.repeat(150), '\u0345'.repeat(128), '\0'],
]
const encoded = [
  ...['\r\n', ' \r\n', '\t \n', '\r', ' ', '=', '=\r\n', '= \r\n', '=C3=A9', '=4', '1', 'QUJD', 'QQ==', 'Q', '-_', '!'],
  ...['\x1b$B', '\x1b(B'],
]
const markup = [
  ...[
    '<b>',
    '</b>',
    '<p>',
    '<',
    '>',
    '<!',
    '<!--',
    '-->',
    '--',
    '<script>',
    '</script',
    '</SCRIPT>',
    '<style',
    '/>',
    'x',
  ],
  ...['<a href="', '"', "'", ' alt=', '&', '&amp;', '&am', 'p;', '&#0065;', '&#x41', '&nbsp;', '&shy;', '&notit;', ';'],
  ...['&CounterClockwiseContourIntegral;', '\u00ad', '  ', ' ', '\f', '\n'],
]
const texts = fc
  .oneof(
    fc.array(fc.constantFrom(...folded, ...encoded, ...markup), { maxLength: 25 }),
    fc.array(fc.constantFrom(...markup), { maxLength: 25 }),
    fc.array(fc.string({ unit: 'binary', maxLength: 3 })),
  )
  .map((pieces) => pieces.join(''))

/** These read anything; what of the others is malformed may become another mark of that at a cut. */
const readers = ['', 'us-ascii', 'utf-8', 'no-such-charset', 'iso-8859-1', 'windows-1252', 'koi8-r', 'cp437']
const charsets = [
  ...readers,
  ...['iso-2022-jp', 'shift_jis', 'euc-jp', 'gb2312', 'gb18030', 'big5', 'euc-kr', 'utf-16', 'utf-16be'],
]

function octetsOf(text: string, charset: string): Buffer {
  return iconv.encodingExists(charset) ? iconv.encode(text, charset) : Buffer.from(text)
}

test('a text in pieces is the same as at once', () => {
  const encodings = ['7bit', 'base64', 'quoted-printable', 'unknown'] as const
  const form = fc.record({
    charset: fc.constantFrom(...charsets),
    readAs: fc.option(fc.constantFrom(...readers), { freq: 4 }),
    encoding: fc.constantFrom(...encodings),
    isEncoded: fc.boolean(),
    subtype: fc.constantFrom('plain', 'html'),
  })
  fc.assert(
    fc.property(
      texts,
      form,
      fc.integer({ min: 1, max: 40 }),
      (text, { charset, readAs, encoding, isEncoded, subtype }, size) => {
        const octets = octetsOf(text, charset)
        const encoders = {
          base64: encodeBase64,
          'quoted-printable': encodeQuotedPrintable,
          '7bit': null,
          unknown: null,
        }
        const encoder = isEncoded ? encoders[encoding] : null
        const body = encoder ? Buffer.from(encoder(octets)) : octets
        const part = { subtype, charset: readAs ?? charset, encoding }
        expect(inPieces(part, body, size)).toBe(foldText(partText(part, body)))
      },
    ),
    { seed: 9051, numRuns: 5000 },
  )
})

test('of UTF-7 in pieces a - that ends a run was read as +', () => {
  const part = { subtype: 'plain', charset: 'utf-7', encoding: '7bit' } as const
  const body = Buffer.from('+ACEAIQAh-a +2D3eAA- 1 +- 1')
  for (let size = 1; size <= body.length; size++) expect(inPieces(part, body, size)).toBe('!!!A 😀 1 + 1')
})

test('a text of CESU-8 in pieces had a 0 behind it', () => {
  const part = { subtype: 'plain', charset: 'cesu-8', encoding: '7bit' } as const
  expect(inPieces(part, Buffer.from('eda0bdedb88041', 'hex'), 1)).toBe('😀A')
})

test('a text of ISO-2022-JP had a mark of what cannot be read where two escapes stand together', () => {
  const body = Buffer.from('\x1b$BF|\x1b(B\x1b(J\x1b$BK\\\x1b(B \x1b\x1b$B8l\x1b(B\x1b(B')
  const part = { subtype: 'plain', charset: 'iso-2022-jp', encoding: '7bit' } as const
  expect(partText(part, body)).toBe('日本 \ufffd語')
  for (let size = 1; size <= body.length; size++) expect(inPieces(part, body, size)).toBe('日本 \ufffd語')
})

test('what stood behind coloured text of ISO-2022-JP was read as Japanese', () => {
  const body = Buffer.from('\x1b[31m\x1b$BF|K\\\x1b(B\x1b(B\x1b[m red')
  const part = { subtype: 'plain', charset: 'iso-2022-jp', encoding: '7bit' } as const
  expect(partText(part, body)).toBe('\ufffd[31m日本\ufffd[m red')
  for (let size = 1; size <= body.length; size++) expect(inPieces(part, body, size)).toBe('\ufffd[31M日本\ufffd[M RED')
})

test.each(['gb18030', 'gbk', 'gb2312'])('a large text that is no %s, as it says, let every search fail', (charset) => {
  const body = Buffer.from('b0a1813041b0a2', 'hex')
  const part = { subtype: 'plain', charset, encoding: '8bit' } as const
  for (let size = 1; size <= body.length; size++) expect(inPieces(part, body, size)).toMatch(/^啊.*阿$/)
})

test('a letter of 48 MB of text was read whole, and decoded, and folded: on a small machine that was the end', () => {
  const body = Buffer.from('Straße & <p>more</p>\r\n'.repeat(100))
  const reads: number[] = []
  const octets = {
    length: body.length,
    subarray(start: number, end: number) {
      reads.push(end - start)
      return body.subarray(start, end)
    },
  }
  for (const subtype of ['plain', 'html']) {
    for (const charset of ['', ' utf-8', ' koi8-r']) {
      const parts = `t0 0 0 ${body.length} text/${subtype} 8bit${charset}`
      for (const pieces of searchTextIn(50, 20).bodyTexts(parts, octets))
        for (const piece of pieces) expect(piece.length).toBeLessThan(50)
    }
  }
  expect(Math.max(...reads)).toBe(20)
})

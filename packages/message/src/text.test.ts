import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { htmlSearchText, htmlText } from './html-text.ts'
import {
  decodeCharset,
  decodeTransfer,
  encodeBase64,
  encodeQuotedPrintable,
  knowsCharset,
  scan,
  searchText,
} from './index.ts'
import { partText } from './search-text.ts'

describe('transfer encodings', () => {
  test('quoted-printable: what real agents send', () => {
    const decode = (text: string) => decodeTransfer(Buffer.from(text), 'quoted-printable')?.toString('latin1')
    expect(decode('a=3Db=\r\nc  \r\nd=20\r\n')).toBe('a=bc\r\nd \r\n')
    expect(decode('soft= \t\r\nend =')).toBe('softend ')
    expect(decode('=e9=E9=zz==41=4')).toBe('\xe9\xe9=zz=A=4')
    expect(decode('bare=\nLF \nx ')).toBe('bareLF\nx')
  })

  test('base64: junk is skipped, pieces are joined, an end without padding is an end', () => {
    const decode = (text: string) => decodeTransfer(Buffer.from(text), 'base64')?.toString('latin1')
    expect(decode('aGVs\r\nbG8=\r\n')).toBe('hello')
    expect(decode('aGVsbG8')).toBe('hello')
    expect(decode('aGVs!bG8=\r\n')).toBe('hello')
    expect(decode('aGVsbG8=\r\n-- \r\n_____\r\n')).toBe('hello')
    expect(decode('aGVsbG8=\r\naGVsbG8=\r\n')).toBe('hellohello')
  })

  test('base64 in millions of pieces takes no more memory than in one', () => {
    const octets = Buffer.from('AA='.repeat(3_000_000))
    const before = process.resourceUsage().maxRSS
    expect(decodeTransfer(octets, 'base64')).toHaveLength(3_000_000)
    expect(process.resourceUsage().maxRSS - before).toBeLessThan(200 * 1024)
  })

  test('an unknown encoding cannot be undone', () =>
    expect(decodeTransfer(Buffer.from('x'), 'unknown')).toBeUndefined())

  test('what is encoded is decoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: 'binary', maxLength: 300 }), (octets, text) => {
        const lines = text.replace(/[\r\n]+/g, '\r\n').toWellFormed()
        expect(decodeTransfer(Buffer.from(encodeBase64(Buffer.from(octets))), 'base64')).toEqual(Buffer.from(octets))
        const quoted = encodeQuotedPrintable(Buffer.from(lines))
        expect(decodeTransfer(Buffer.from(quoted), 'quoted-printable')?.toString()).toBe(lines)
        expect(quoted).toMatch(/^[\t\r\n\x20-\x7e]*$/)
        for (const line of quoted.split('\r\n')) expect(line.length).toBeLessThanOrEqual(76)
      }),
      { seed: 7, numRuns: 300 },
    )
  })
})

test('charsets as mail means them', () => {
  expect(decodeCharset(Buffer.from([0x80, 0xe4]), 'iso-8859-1')).toBe('€ä')
  expect(decodeCharset(Buffer.from('grün'), 'us-ascii')).toBe('grün')
  expect(decodeCharset(Buffer.from([0xe4]), 'no-such-charset')).toBe('ä')
  expect(decodeCharset(Buffer.from([0x84]), 'cp437')).toBe('ä')
  expect([knowsCharset('KOI8-R'), knowsCharset('utf-7'), knowsCharset('no-such-charset')]).toEqual([true, true, false])
})

test.each([
  ['plain', 'plain'],
  ['+APw-ber', 'über'],
  ['+APw.+2D3eAA', 'ü.😀'],
  ['1 +- 1, +!', '1 + 1, !'],
  ['+AGEAYgBj-+AA-', 'abc'],
  ['+//8-', '\uffff'],
  ['\xe4+\xe4', '\ufffd\ufffd'],
])('UTF-7: %s', (written, text) => {
  for (const label of ['utf-7', 'UNICODE-1-1-UTF-7'])
    expect(decodeCharset(Buffer.from(written, 'latin1'), label)).toBe(text)
})

test('what UTF-7 is for mailbox names is no charset of text', () => {
  expect(knowsCharset('UTF-7-IMAP')).toBe(false)
})

describe('text of HTML', () => {
  const known: [string, string][] = [
    ['<p>a<br>b</p>', ' a b '],
    ['a<b>b</b>c', 'abc'],
    ['<style>x{}</style>a<script>1<2</script>b<!-- c -->', 'ab'],
    ['&lt;&amp;&#8364;&#x20AC;&nbsp;&unknown;&auml', '<&€€ &unknown;ä'],
    ['1 < 2 & 3', '1 < 2 & 3'],
    ['a<style>never closed', 'a'],
    ['a<b', 'a'],
    ['in\r\n  one   <b>\n line</b>', 'in one line'],
    ['&Scaron;&Lambda;&#150;&copy;', 'ŠΛ–©'],
    ['in&shy;vis&zwnj;ible', 'invisible'],
    ['in\u00advis\u200cible\u00a0ones', 'invisible ones'],
  ]
  test.each(known)('%s', (html, text) => expect(htmlText(html)).toBe(text))

  const sought: [string, string][] = [
    ['no link', 'no link'],
    ['click <a href="https://one.test/?a=1&amp;b">here</a> now', 'click here now\nhttps://one.test/?a=1&b'],
    ["<img alt='A cat' src=cat.png title = Cat>", ' \nA cat\nCat'],
    ['<a href=one.test>x</a><p data-href="no">', 'x \none.test'],
    [`<a href="${'x'.repeat(3000)}">x`, 'x'],
    ['<a href="never closed', ''],
  ]
  test.each(sought)('sought: %s', (html, text) => expect(htmlSearchText(html)).toBe(text))
  test('a tag with very many attributes could not be searched', () => {
    expect(htmlSearchText(`<img${' alt=x'.repeat(200_000)}>`)).toBe(` \n${'x\n'.repeat(199_999)}x`)
  })
})

const message = (content: string) => scan(Buffer.from(content.replace(/\n/g, '\r\n')))

describe('previews (RFC 8970)', () => {
  test('plain text before HTML, quotes and signature left out', () => {
    const content =
      'Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/html\n\n<p>html\n--b\n\n> quoted\nHello\n  Bob\n-- \nAlice\n--b--\n'
    expect(message(content).index().preview).toBe('Hello Bob')
  })

  test('HTML where nothing else is', () => {
    expect(
      message(
        'Content-Type: text/html\nContent-Transfer-Encoding: quoted-printable\n\n<h1>Gr=C3=BC=C3=9Fe</h1><p>x',
      ).index().preview,
    ).toBe('Grüße x')
    const both =
      'Content-Type: multipart/alternative; boundary=b\n\n--b\n\n\n--b\nContent-Type: text/html\n\n<p>html\n--b--\n'
    expect(message(both).index().preview).toBe('html')
  })

  test('an encoding under another of its names is undone', () => {
    for (const [encoding, text] of [
      ['x-base64', 'SGVsbG8='],
      ['Quotedprintable', 'H=65llo'],
    ]) {
      const content = `Content-Type: text/plain\nContent-Transfer-Encoding: ${encoding}\n\n${text}\n`
      expect(message(content).index().preview).toBe('Hello')
    }
  })

  test('attachments are no preview, quotes alone are', () => {
    expect(message('Content-Type: text/plain\nContent-Disposition: attachment\n\nx\n').index().preview).toBe('')
    expect(message('Subject: x\n\n> only\n> quotes\n').index().preview).toBe('> only > quotes')
  })

  test('at most 200 characters, never half of one', () => {
    for (const encoding of ['8bit', 'base64']) {
      const text = encoding === 'base64' ? encodeBase64(Buffer.from('😀'.repeat(1000))) : '😀'.repeat(1000)
      const content = `Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ${encoding}\n\n${text}\n`
      expect(message(content).index().preview).toBe('😀'.repeat(200))
    }
  })
})

describe('search', () => {
  const { header } = message('Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\nFrom: a@b\n\tc\n\n')

  test('header fields are decoded, unfolded and folded, each a line', () => {
    expect(searchText.headerText(header)).toBe(`${searchText.fold('Subject: Grüße')}\nFROM: A@B C\n`)
  })

  test('words on both sides of a line that was folded with a tab were not found together', () => {
    const { header } = message('Subject: quarterly\n\treport\n\n')
    expect(searchText.headerText(header)).toContain(searchText.fold('quarterly report'))
  })

  test('an encoded line end makes no second field', () => {
    const { header } = message('Subject: =?utf-8?Q?a=0D=0AFrom:_b?=\nX-Empty :\nno field\n\n')
    expect(searchText.headerText(header)).toBe('SUBJECT: A FROM: B\nX-EMPTY: \n')
  })

  test('folded text is well-formed, so that UTF-8 keeps it', () => {
    for (const text of ['\ud800', 'a\udc00é', 'é\ud83d']) expect(searchText.fold(text).isWellFormed()).toBe(true)
  })

  test('a character that becomes eighteen made text of many of it too large for memory', () => {
    for (let code = 0; code < 0x10000; code++)
      if (searchText.fold(String.fromCharCode(code)).length > 8)
        expect.fail(`U+${code.toString(16)} becomes more than eight`)
    expect(searchText.fold('x \ufdfa y')).toContain(searchText.fold('\ufdfa'))
    expect(searchText.fold('\ufdfa')).not.toBe('')
  })

  test('a letter of nothing but combining marks kept the search thread for hours', () => {
    for (const marks of ['\u0301\u0323', '\u{1d165}', '\uff9e\uff9f', '\u0344']) {
      for (const before of ['', 'a', 'b'.repeat(31), '\u{1f600}']) {
        const folded = searchText.fold(`${before}${marks.repeat(1000)}c`)
        for (const row of folded.split('\u034f')) expect([...row].length).toBeLessThan(300)
      }
    }
    expect(searchText.fold(`${'a\u0301'.repeat(1000)}${'\u0301'.repeat(100)}`)).not.toContain('\u034f')
  })

  test('addresses are found as the ENVELOPE has them, however they are written', () => {
    const header = Buffer.from('From: <alice (her)@ (her host) one . test>, "B \\"the\\" M" <b@one.test>\r\n')
    expect(searchText.headerText(header)).toContain(searchText.fold('<alice@one.test>, B "the" M <b@one.test>'))
  })

  test('needles match whatever the case and the form of composition', () => {
    const folded = searchText.fold('STRASSE ΟΔΟΣ Å ﬁ')
    for (const needle of ['straße', 'οδος', 'A\u030a', 'å', 'FI', 'fi'])
      expect(folded).toContain(searchText.fold(needle))
  })
})

const wholeTexts = (...of: Parameters<typeof searchText.bodyTexts>): string[] =>
  Array.from(searchText.bodyTexts(...of), (pieces) => [...pieces].join(''))

test('body texts: text parts, headers of messages inside, names of attachments', () => {
  const content = Buffer.from(
    "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Stra=DFe</p>\n--b\nContent-Type: message/rfc822\n\nSubject: =?utf-8?B?w6Rww6RsbA==?=\n\ninner text\n--b\nContent-Type: image/png\nContent-Disposition: attachment; filename*=utf-8''%C3%BCber.png\nContent-Description: =?utf-8?Q?B=C3=A4r?=\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\n",
  )
  const scanned = scan(content)
  const texts = wholeTexts(scanned.index().parts, content.subarray(scanned.headerSize)).join('|')
  for (const found of ['Straße', 'Subject: äpäll', 'inner text', 'über.png', 'Bär'])
    expect(texts).toContain(searchText.fold(found))
  expect(texts).not.toContain('AAAA')
})

test('body texts read no attachment', () => {
  const content = Buffer.from(
    `Content-Type: multipart/mixed; boundary=b\n\n--b\n\ntext\n--b\nContent-Type: image/png; name=i.png\n\n${'A'.repeat(5000)}\n--b--\n`,
  )
  const scanned = scan(content)
  const body = content.subarray(scanned.headerSize)
  let read = 0
  const octets = {
    length: body.length,
    subarray(start: number, end: number) {
      read += end - start
      return body.subarray(start, end)
    },
  }
  expect(wholeTexts(scanned.index().parts, octets).join('|')).toContain('I.PNG')
  expect(read).toBeLessThan(100)
})

test('a text part as people read it', () => {
  expect(partText({ subtype: 'plain', charset: 'iso-8859-15', encoding: 'base64' }, Buffer.from('pA=='))).toBe('€')
})

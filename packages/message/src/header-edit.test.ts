import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { textField } from './field-writer.ts'
import { unfold } from './fields.ts'
import {
  downgradeEnvelope,
  downgradeHeader,
  downgradeStructure,
  FieldChoice,
  fieldsOf,
  foldField,
  formatMailbox,
  parseAddressList,
  parseHeader,
  renderHeader,
  scan,
  strikesOf,
  structureFor,
  valuesOf,
} from './index.ts'

const crlf = (text: string): Buffer => Buffer.from(text.replace(/\n/g, '\r\n'))
const lf = (octets: Buffer): string => octets.toString().replace(/\r\n/g, '\n')

describe('fields', () => {
  const header = crlf('From x\nSubject: a\n b\nBcc : c\nodd line\nX:\n\nbody: no field\n')

  test('names, values and lines that are no fields', () => {
    expect(fieldsOf(header).map(({ name }) => name)).toEqual(['', 'subject', 'bcc', '', 'x'])
    expect(valuesOf(parseHeader(header), 'subject')).toEqual(['a b'])
  })

  test('the ranges cover the header section without a gap, whatever the octets', () => {
    const piece = fc.constantFrom('a: b\r\n', ' c\r\n', 'x\n', ':\r\n', 'é: ü\n', '\t\r\n', 'b', '\r')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const octets = Buffer.from(pieces.join(''))
        let at = 0
        for (const { start, valueStart, end } of fieldsOf(octets)) {
          expect(start).toBe(at)
          expect(valueStart).toBeGreaterThanOrEqual(start)
          expect(end).toBeGreaterThan(start)
          at = end
        }
        expect(octets.subarray(at).toString()).toMatch(/^(\r?\n|$)/)
      }),
      { seed: 8, numRuns: 300 },
    )
  })

  test('a megabyte without a colon takes no time', () => {
    expect(fieldsOf(Buffer.from('x\n'.repeat(500_000)))).toHaveLength(500_000)
  })

  test('unfolding keeps the white space of a fold, and a megabyte of CR is read in one pass', () => {
    expect(unfold(' a\r\n\tb\r\r\n c\nd\0e \r\n')).toBe('a\tb c de')
    expect(unfold(`a${'\r'.repeat(1_000_000)}b`)).toBe('a b')
  })

  test('BODY[HEADER.FIELDS] and its NOT share the header between them', () => {
    const chosen = (octets: Buffer, names: string[], not = false): string => lf(new FieldChoice(names, not).of(octets))
    expect(chosen(header, ['SUBJECT', 'x', 'none'])).toBe('Subject: a\n b\nX:\n\n')
    expect(chosen(header, ['subject', 'x'], true)).toBe('From x\nBcc : c\nodd line\n\n')
    expect(chosen(header, ['none'])).toBe('\n')
    expect(chosen(Buffer.from('A: b'), ['a'])).toBe('A: b\n')
    expect(chosen(Buffer.from('A: b\r\n'), ['a'], true)).toBe('')
    expect(new FieldChoice(['é']).of(Buffer.from('E: a\né: ü\n', 'latin1')).toString('latin1')).toBe('é: ü\n')
  })

  test('fields are chosen in one pass from a header of lines without a colon', () => {
    const junk = `A: b\n${'s\n'.repeat(3_000_000)}Subject: x\n\n`
    expect(new FieldChoice(['subject']).ofText(junk)).toBe('Subject: x\n\r\n')
    expect(new FieldChoice(['subject']).ofText(`A: b\n${'s\n'.repeat(3_000_000)}`)).toBe('')
  })
})

describe('renderings', () => {
  const header = crlf(
    'Return-Path: <x@y>\nBcc: c,\n d\nAuthentication-Results: (c) MAIL.one.test 1; spf=pass\nAuthentication-Results: other.test; spf=pass\nAuthentication-Results: "mail.one.test"; none\nSubject: x\nResent-Bcc: e\n\n',
  )

  test('only what is asked for is struck', () => {
    expect(strikesOf(header, {})).toEqual([])
    const strikes = strikesOf(header, { bcc: true, returnPath: true, authservId: 'mail.one.test' })
    expect(lf(renderHeader({ header, strikes }))).toBe('Authentication-Results: other.test; spf=pass\nSubject: x\n\n')
    expect(lf(renderHeader({ header, strikes: strikesOf(header, { bcc: true }) }))).not.toContain('Bcc')
  })

  test.each([
    '(a (nested) comment) mail.one.test; dkim=pass',
    '(a \\) quoted pair) mail.one.test; dkim=pass',
    '"mail\\.one.test"; dkim=pass',
    '(a)\n (b) "mail.one.test" 1; dkim=pass',
    'mail.one.test(c); dkim=pass',
  ])('results that claim to be ours are struck, however it is written: %s', (value) => {
    const strikes = strikesOf(crlf(`Authentication-Results: ${value}\n\n`), { authservId: 'mail.one.test' })
    expect(strikes).toHaveLength(1)
  })

  test.each([
    ['From bob Mon Nov 23 2026\nTo: a\n\n', 1],
    ['>From bob Mon Nov 23 2026\nTo: a\n\n', 1],
    ['To: a\nFrom bob\n\n', 0],
    ['From: bob\n\n', 0],
  ])('the line of an mbox is struck where it is the first: %j', (text, count) => {
    expect(strikesOf(crlf(text), { mboxLine: true })).toHaveLength(count)
    expect(strikesOf(crlf(text), {})).toEqual([])
  })

  test('the trace comes first, and without any change it is the same buffer', () => {
    expect(renderHeader({ header })).toBe(header)
    const rendered = renderHeader({ header: crlf('A: b\n\n'), trace: crlf('Received: x\n') })
    expect(lf(rendered)).toBe('Received: x\nA: b\n\n')
  })
})

describe('writing fields', () => {
  test('folded at white space, never longer than it must be', () => {
    const folded = foldField(
      'References',
      Array.from({ length: 8 }, (_, at) => `<${at}-0123456789@mail.one.test>`).join(' '),
    )
    for (const line of folded.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
    expect(valuesOf(parseHeader(Buffer.from(folded)), 'references')[0]).toMatch(/^<0-.*<7-0123456789@mail.one.test>$/)
  })

  test('two spaces of a quoted local part stay two, but no white space makes a line too long', () => {
    const address = `<"a  b${'c'.repeat(60)} \t d"@one.test>`
    expect(valuesOf(parseHeader(Buffer.from(foldField('To', address))), 'to')).toEqual([address])
    expect(foldField('X', `a${' \t'.repeat(1000)}b`).length).toBeLessThan(200)
    expect(foldField('X', '')).toBe('X: \r\n')
  })

  test('no value brings a second field', () => {
    expect(foldField('X', 'a\r\nBcc: b')).toBe('X: a Bcc: b\r\n')
    expect(textField('Subject', 'a\nBcc: ü')).not.toMatch(/^Bcc/m)
  })

  test('display names are quoted or encoded as they must be', () => {
    expect(formatMailbox('Alice', 'a@b')).toBe('Alice <a@b>')
    expect(formatMailbox('Miller, "A"', 'a@b')).toBe('"Miller, \\"A\\"" <a@b>')
    expect(formatMailbox('', 'a@b')).toBe('<a@b>')
    expect(parseAddressList(formatMailbox('Jürgen', 'a@b'))[0]).toEqual({
      name: '=?utf-8?Q?J=C3=BCrgen?=',
      mailbox: 'a',
      host: 'b',
    })
  })
})

describe('readers without UTF-8 (RFC 6858)', () => {
  const message = crlf(
    'From: Jürgen <jürgen@bücher.test>\nTo: alice@bücher.test, grüße:ä@x.test, bob@two.test;, bob@two.test\nSubject: Grüße\nMessage-ID: <ü@x>\nX-Note: ü\nReturn-Path: <jürgen@bücher.test>\nContent-Type: multipart/mixed; boundary=b; x="ü \\"y"\n\n--b\nContent-Disposition: attachment; filename="Übersicht (1).txt"\nContent-Description: Übersicht\nContent-ID: <ü@x>\n\n--b\nContent-Type: message/rfc822\n\nSubject: ä\n\nx\n--b--\n',
  )
  const { header, index } = scan(message)
  const { envelope, structure } = index()
  const jurgen = '(("=?utf-8?Q?J=C3=BCrgen?=" NIL "invalid" "internationalized-address.invalid"))'

  test('ENVELOPE', () => {
    expect(downgradeEnvelope(envelope)).toBe(
      `(NIL "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=" ${jurgen} ${jurgen} ${jurgen} ` +
        '((NIL NIL "alice" "xn--bcher-kva.test")(NIL NIL "=?utf-8?Q?gr=C3=BC=C3=9Fe?=" NIL)' +
        '("=?utf-8?Q?=C3=A4=40x=2Etest?=" NIL "invalid" "internationalized-address.invalid")' +
        '(NIL NIL "bob" "two.test")(NIL NIL NIL NIL)(NIL NIL "bob" "two.test")) NIL NIL NIL NIL)',
    )
  })

  test('BODYSTRUCTURE', () => {
    expect(structureFor(downgradeStructure(structure, false), 'BODYSTRUCTURE')).toBe(
      '(("text" "plain" ("charset" "us-ascii") NIL "=?utf-8?Q?=C3=9Cbersicht?=" "7bit" 0 0 NIL ' +
        '("attachment" ("filename*" "utf-8\'\'%C3%9Cbersicht%20%281%29.txt")) NIL NIL)' +
        '("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL "=?utf-8?Q?=C3=A4?=" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
        '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 1 0 NIL NIL NIL NIL) 2 NIL NIL NIL NIL) ' +
        '"mixed" ("boundary" "b" "x*" "utf-8\'\'%C3%BC%20%22y") NIL NIL NIL)',
    )
    const marks = (text: string) => text.replace(/[^\u0001\u0002]/g, '')
    expect(marks(downgradeStructure(structure, false))).toBe(marks(structure))
  })

  test.each(['a', 'ä'])('message/global is a type like any other, its subject being %s', (subject) => {
    const lines = [
      'Content-Type: message/global',
      'Content-Disposition: inline',
      '',
      `Subject: ${subject}`,
      '',
      'x',
      '',
    ]
    const { structure: global } = scan(Buffer.from(lines.join('\r\n'))).index()
    const size = Buffer.byteLength(lines.slice(3).join('\r\n'))
    const basic = `"message" "global" NIL NIL NIL "7bit" ${size}`
    expect(downgradeStructure(structureFor(global, 'BODY'), false)).toBe(`(${basic})`)
    expect(downgradeStructure(structureFor(global, 'BODYSTRUCTURE'), false)).toBe(
      `(${basic} NIL ("inline" NIL) NIL NIL)`,
    )
    expect(structureFor(downgradeStructure(global, false), 'BODY')).toBe(`(${basic})`)
    expect(downgradeStructure(global, true)).toContain(
      `${basic} (NIL "${subject === 'a' ? 'a' : '=?utf-8?Q?=C3=A4?='}" NIL`,
    )
  })

  test('a file name that is there in both forms came twice', () => {
    const lines = ['Content-Type: a/b', `Content-Disposition: attachment; FileName="ü.txt"; filename*=utf-8''%C3%BC`]
    const both = scan(Buffer.from(`${lines.join('\r\n')}\r\n\r\nx\r\n`)).index().structure
    expect(structureFor(downgradeStructure(both, false), 'BODYSTRUCTURE')).toContain(
      `("attachment" ("filename*" "utf-8''%C3%BC"))`,
    )
  })

  test('media types, encodings and dispositions that are not ASCII have no octet above 127 left', () => {
    const lines = ['Content-Type: text/é', 'Content-Transfer-Encoding: é', 'Content-Disposition: é; a=b']
    const odd = scan(Buffer.from(`${lines.join('\r\n')}\r\n\r\nx\r\n`)).index().structure
    expect(structureFor(downgradeStructure(odd, false), 'BODYSTRUCTURE')).toBe(
      '("text" "?" ("charset" "us-ascii") NIL NIL "?" 3 1 NIL ("?" ("a" "b")) NIL NIL)',
    )
  })

  test('the header section', () => {
    const downgraded = downgradeHeader(header)
    expect(lf(downgraded)).toBe(`From: =?utf-8?Q?J=C3=BCrgen?= <invalid@internationalized-address.invalid>
To: alice@xn--bcher-kva.test, =?utf-8?Q?gr=C3=BC=C3=9Fe?=:
 =?utf-8?Q?=C3=A4=40x=2Etest?= <invalid@internationalized-address.invalid>,
 bob@two.test;, bob@two.test
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
X-Note: =?utf-8?Q?=C3=BC?=
Content-Type: multipart/mixed; boundary=b; x*=utf-8''%C3%BC%20%22y

`)
    const again = scan(Buffer.concat([downgraded, message.subarray(header.length)])).index()
    expect(again.envelope).toBe(downgradeEnvelope(envelope))
    expect(again.parts).toBe(index().parts)
  })

  test('encoded words beside UTF-8 are not encoded twice', () => {
    const { header, index } = scan(
      crlf('From: =?big5?Q?=A7A?= <jürgen@one.test>\nSubject: =?big5?Q?=A7A?=\nX-Note: =?big5?Q?=A7A?= ü\n\n'),
    )
    expect(downgradeEnvelope(index().envelope)).toContain('(NIL "=?big5?Q?=A7A?=" (("=?big5?Q?=A7A?=" NIL "invalid"')
    expect(lf(downgradeHeader(header))).toContain('X-Note: =?utf-8?B?5L2gIMO8?=\n')
  })

  test('a header of hundreds of kilobytes of UTF-8 was put in ASCII whole, which held up everybody', () => {
    const list = (count: number) => Array.from({ length: count }, (_, i) => `ü${i}@x.test`).join(',\n ')
    const { header } = scan(
      crlf(`From: a@x.test\nTo: ${list(40_000)}\nCc: ${list(3_000)}\nBcc: ${list(3_000)}\nSubject: ü\n\n`),
    )
    const names = parseHeader(downgradeHeader(header)).fields.map(({ name }) => name)
    expect(names).toEqual(['from', 'cc', 'subject'])
  })

  test('what is ASCII, or no UTF-8 at all, stays as it is', () => {
    const plain = crlf('Subject: x\n\n')
    expect(downgradeHeader(plain)).toBe(plain)
    const latin = Buffer.from('Subject: gr\xfcn\r\n\r\n', 'latin1')
    expect(downgradeHeader(latin)).toEqual(latin)
    expect(downgradeEnvelope('(NIL "x")')).toBe('(NIL "x")')
  })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { baseSubject } from './base-subject.ts'
import { formatDate, parseDate } from './date.ts'
import { decodeWords, encodeWords } from './encoded-words.ts'
import { messageIdOf, messageIds } from './message-id.ts'

describe('dates', () => {
  const known: [string, string | undefined, number?][] = [
    ['Fri, 21 Nov 1997 09:55:06 -0600', '1997-11-21T15:55:06.000Z', 19971121],
    ['21 Nov 97 09:55:06 GMT', '1997-11-21T09:55:06.000Z', 19971121],
    [
      'Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)',
      '1969-02-14T03:02:00.000Z',
      19690213,
    ],
    ['Fri, 21 Nov 1997 09(comment):   55  :  06 -0600', '1997-11-21T15:55:06.000Z', 19971121],
    ['Fri, 21 Nov 1997 (a quoted \\) in a comment) 09:55:06 -0600', '1997-11-21T15:55:06.000Z', 19971121],
    ['Wed, 17 Jul 1996 02:23:25 -0700 (PDT)', '1996-07-17T09:23:25.000Z', 19960717],
    ['1 Jan 26 10:00 EST', '2026-01-01T15:00:00.000Z', 20260101],
    ['1 Jan 099 10:00 Z', '1999-01-01T10:00:00.000Z', 19990101],
    ['Mon, 2 Mar 2026 10:00:00 +0530', '2026-03-02T04:30:00.000Z', 20260302],
    ['Fri, 07 Jun 0102 08:46:41 +0900', '2002-06-06T23:46:41.000Z', 20020607],
    ['Fri, 07 Jun 0002 08:46:41 +0900', '2002-06-06T23:46:41.000Z', 20020607],
    ['Sun, 31 Dec 2026 23:59:60 +0000', '2026-12-31T23:59:59.000Z', 20261231],
    ['Tue, 20-Jan-2026 09:30:00 MEZ', '2026-01-20T09:30:00.000Z', 20260120],
    ['30 Feb 2026 10:00:00 +0000', undefined],
    ['1 Foo 2026 10:00:00 +0000', undefined],
    ['1 Jan 2026 25:00:00 +0000', undefined],
    ['Sat Sep 21 08:18:08 2002', '2002-09-21T08:18:08.000Z', 20020921],
    ['Fri, 02 Aug 2002 23:37:59 0530', '2002-08-02T18:07:59.000Z', 20020802],
    ['yesterday', undefined],
    ['', undefined],
  ]
  test.each(known)('%s', (text, instant, day) => {
    const found = parseDate(text)
    expect(found && new Date(found.at).toISOString()).toBe(instant)
    expect(found?.day).toBe(day)
  })

  test('what is written is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_000_000_000 }), (second) => {
        expect(parseDate(formatDate(second * 1000))).toMatchObject({ at: second * 1000 })
      }),
      { seed: 5, numRuns: 300 },
    )
  })
})

describe('base subjects (RFC 5256 §2.1)', () => {
  const known: [string, string, boolean][] = [
    ['hello', 'hello', false],
    ['Re: hello', 'hello', true],
    ['RE : re: Fwd: FW: hello', 'hello', true],
    ['Re[2]: hello', 'hello', true],
    ['[list] Re: [list] hello', 'hello', true],
    ['[list] hello', 'hello', false],
    ['[list]', '[list]', false],
    ['[a] [b]', '[b]', false],
    ['hello (fwd)  (fwd)', 'hello', true],
    ['[fwd: Re: hello]', 'hello', true],
    ['[Fwd: [fwd: hello (fwd)]]', 'hello', true],
    ['Re:', '', true],
    ['real: estate', 'real: estate', false],
    ['Re: =?utf-8?Q?=5Blist=5D_Re=3A_hello?=', 'hello', true],
    ['  a \t b  ', 'a b', false],
  ]
  test.each(known)('%s', (subject, text, replyOrForward) => {
    expect(baseSubject(subject)).toEqual({ text, replyOrForward })
  })

  test('a subject made to be slow is not', () => {
    expect(baseSubject(`${'[a]'.repeat(100_000)}${'(fwd)'.repeat(100_000)}`).text.length).toBeLessThan(2001)
  })
})

describe('message ids', () => {
  test('brackets, comments, quoting and repetition', () => {
    expect(messageIds('<a@b> (c) <"d"@e>\r\n <a@b><f g@h> junk')).toEqual(['d@e', 'a@b', 'fg@h'])
    expect(messageIds('<a@b> <c@d> <a@b>')).toEqual(['c@d', 'a@b'])
    expect(messageIdOf('a@b')).toBe('a@b')
    expect(messageIdOf('no id')).toBe('')
    expect(messageIds('<"a b"@c>')).toEqual(['ab@c'])
  })

  test('two in turn had THREAD go up from one to the other a hundred times', () => {
    expect(messageIds('<a@b><c@d>'.repeat(100))).toEqual(['a@b', 'c@d'])
    expect(messageIds(`${'<a@b><c@d>'.repeat(100)}<a@b>`)).toEqual(['c@d', 'a@b'])
  })

  test('of very many the first and the last stay', () => {
    const ids = messageIds(Array.from({ length: 1000 }, (_, at) => `<${at}@x>`).join(' '))
    expect([ids.length, ids[0], ids[1], ids.at(-1)]).toEqual([200, '0@x', '801@x', '999@x'])
  })
})

describe('encoded words', () => {
  const known: [string, string][] = [
    ['(=?ISO-8859-1?Q?a?=)', '(a)'],
    ['(=?ISO-8859-1?Q?a?= b)', '(a b)'],
    ['(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)', '(ab)'],
    ['(=?ISO-8859-1?Q?a_b?=)', '(a b)'],
    ['=?US-ASCII*EN?Q?Keith_Moore?= <moore@cs.utk.edu>', 'Keith Moore <moore@cs.utk.edu>'],
    [
      '=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=',
      'If you can read this you understand the example.',
    ],
    ['=?utf-8?B?w7w=?=', 'ü'],
    ['=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=', 'ü'],
    ['=?iso-2022-jp?B?GyRCJDMkcyRLJEEkTxsoQg==?=', 'こんにちは'],
    ['=?gb2312?B?xOO6ww==?=', '你好'],
    ['=?utf-7?Q?+APw-?=', 'ü'],
    ['=?nonsense?Q?=FC?=', 'ü'],
    ['=?utf-8?X?a?= =?utf-8?Q?a', '=?utf-8?X?a?= =?utf-8?Q?a'],
  ]
  test.each(known)('%s', (text, decoded) => expect(decodeWords(text)).toBe(decoded))

  test('a Japanese subject of several words had marks of what cannot be read between them', () => {
    const words = [
      '=?iso-2022-jp?B?GyRCRnxLXDhsGyhC?=',
      '=?ISO-2022-JP?B?GyRCJE43b0w+GyhC?=',
      '=?iso-2022-jp?B?GyhCYQ==?=',
    ]
    expect(decodeWords(words.join(' '))).toBe('日本語の件名a')
  })

  test('what is encoded is decoded, in words that are short enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        const encoded = encodeWords(text)
        expect(decodeWords(encoded)).toBe(text)
        if (encoded !== text) for (const word of encoded.split(' ')) expect(word.length).toBeLessThanOrEqual(75)
      }),
      { seed: 6, numRuns: 300 },
    )
  })
})

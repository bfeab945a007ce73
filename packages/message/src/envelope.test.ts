import { expect, test } from 'vitest'
import { scan } from './index.ts'

const envelope = (header: string): string =>
  scan(Buffer.from(`${header.replace(/\n/g, '\r\n')}\r\n\r\n`)).index().envelope

test('the example of RFC 9051 §8', () => {
  const header = `Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
From: Terry Gray <gray@cac.washington.edu>
Subject: IMAP4rev2 WG mtg summary and minutes
To: imap@cac.washington.edu
cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
Message-Id: <B27397-0100000@cac.washington.edu>
MIME-Version: 1.0
Content-Type: TEXT/PLAIN; CHARSET=US-ASCII`
  const gray = '(("Terry Gray" NIL "gray" "cac.washington.edu"))'
  expect(envelope(header)).toBe(
    `("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev2 WG mtg summary and minutes" ${gray} ${gray} ${gray} ` +
      '((NIL NIL "imap" "cac.washington.edu")) ((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) ' +
      'NIL NIL "<B27397-0100000@cac.washington.edu>")',
  )
})

test('absent is NIL, empty is an empty string', () => {
  expect(envelope('X: y')).toBe('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)')
  expect(envelope('Subject:\nTo: \nDate:')).toBe('("" "" NIL NIL NIL NIL NIL NIL NIL NIL)')
})

test('a Sender or Reply-To without any address counts as absent', () => {
  expect(envelope('From: a@b\nSender: \nReply-To: c@d')).toBe(
    '(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) NIL NIL NIL NIL NIL)',
  )
})

test('of two Subjects the first counts; two To fields are one list, so none hides', () => {
  expect(envelope('Subject: one\nTo: a@b\nSubject: two\nTo: c@d')).toBe(
    '(NIL "one" NIL NIL NIL ((NIL NIL "a" "b")(NIL NIL "c" "d")) NIL NIL NIL NIL)',
  )
})

test('folding, tabs and runs of space in a Subject are one space; encoded words stay', () => {
  expect(envelope('Subject: a\n\tb   c\n =?utf-8?Q?=C3=BC?=')).toContain('"a b c =?utf-8?Q?=C3=BC?="')
})

test('quotes and backslashes are escaped, control characters that could break the line are gone', () => {
  expect(envelope('Subject: a "b" \\ \u0001c\u0002\u0000d')).toContain('"a \\"b\\" \\\\ cd"')
})

test('an à at the end of a value is not cut for its last octet, which is a no-break space in latin1', () => {
  const { envelope, structure } = scan(
    Buffer.from(
      'Subject: voilà\r\nFrom: Pietà <a@one.test>\r\nContent-Type: text/plain; name=voilà.txt\r\nContent-Description: voilà\r\n\r\n',
    ),
  ).index()
  expect(envelope).toContain('"voilà" (("Pietà" NIL "a" "one.test"))')
  expect(structure).toContain('("name" "voilà.txt" "charset" "us-ascii") NIL "voilà"')
})

test('UTF-8 stays; other octets are read in the charset of the text, or as windows-1252', () => {
  expect(envelope('Subject: grün')).toContain('"grün"')
  const latin = Buffer.from('Subject: gr\xfcn\r\n\r\n', 'latin1')
  expect(scan(latin).index().envelope).toContain('"grün"')
  const cyrillic = Buffer.from('Subject: \xd0\xd2\xc9\r\nContent-Type: text/plain; charset=koi8-r\r\n\r\n', 'latin1')
  expect(scan(cyrillic).index().envelope).toContain('"при"')
})

test('everything from the header is of the rendering, not of what came', () => {
  const scanned = scan(Buffer.from('Subject: x\r\nBcc: hidden@one.test\r\n\r\nbody\r\n'))
  const index = scanned.index({ header: Buffer.from('Message-ID: <1@one.test>\r\nSubject: x\r\n\r\n') })
  expect(index.envelope).not.toContain('hidden')
  expect(index.messageIdHeader).toBe('1@one.test')
})

test('sort keys, display names, thread inputs', () => {
  const index = scan(
    Buffer.from(
      [
        'From: =?utf-8?Q?J=C3=BCrgen?= <jm@one.test>, b@two.test',
        'To: list@two.test',
        'Subject: =?utf-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=',
        'Date: 1 Jan 26 10:00 EST',
        'Message-ID: <"abc"@one.test>',
        'References: <1@x> <2@x>\r\n\t<1@x>',
        'In-Reply-To: <9@x>',
        '',
        '',
      ].join('\r\n'),
    ),
  ).index()
  expect(index).toMatchObject({
    sortFrom: 'JM',
    displayFrom: 'JU\u0308RGEN',
    sortTo: 'LIST',
    displayTo: 'LIST@TWO.TEST',
    sortCc: '',
    baseSubject: 'GRU\u0308SSE',
    replyOrForward: true,
    sentAt: Date.UTC(2026, 0, 1, 15),
    sentDay: 20260101,
    messageIdHeader: 'abc@one.test',
    references: ['2@x', '1@x'],
  })
})

test('without References the first id of In-Reply-To counts', () => {
  const index = scan(Buffer.from('In-Reply-To: your letter <1@x> <2@x>\r\n\r\n')).index()
  expect(index.references).toEqual(['1@x'])
})

test('SORT and THREAD held in memory whatever a subject said at length', () => {
  const { baseSubject } = scan(Buffer.from(`Subject: Re: ${'é'.repeat(1900)}\r\n\r\n`)).index()
  expect(baseSubject).toBe('E\u0301'.repeat(128))
})

/**
 * Messages that are hard to read, each named after what is odd in it. Written with LF; `octets` makes CRLF of them,
 * \xNN stands for one octet. Used where two servers are compared: what matters is that both have to say something.
 */
export interface HardMessage {
  name: string
  content: Buffer
}

const octets = (text: string): Buffer => Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'latin1')

const head = 'From: a@one.test\nTo: b@one.test\nSubject: s\nMIME-Version: 1.0\n'
const multipart = (rest: string, boundary = 'x', subtype = 'mixed'): string =>
  `${head}Content-Type: multipart/${subtype}; boundary="${boundary}"\n\n${rest}`

/** A multipart of `depth` levels, innermost a text. */
function nested(depth: number): string {
  let body = 'Content-Type: text/plain\n\ninnermost\n'
  for (let level = depth; level > 0; level--) {
    body = `Content-Type: multipart/mixed; boundary="level-${level}."\n\n--level-${level}.\n${body}\n--level-${level}.--\n`
  }
  return head + body
}

/** A letter in a letter in a letter. */
function forwarded(depth: number): string {
  let body = 'From: z@one.test\nSubject: innermost\n\ntext\n'
  for (let level = depth; level > 0; level--) {
    body = `From: l${level}@one.test\nSubject: level ${level}\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n${body}`
  }
  return body
}

const structure: [string, string][] = [
  ['one empty line', '\n'],
  ['a header without an end', 'From: a@one.test\nSubject: no body'],
  ['a header and no empty line behind it', 'From: a@one.test\nSubject: no body\n'],
  ['a header and no body', 'From: a@one.test\nSubject: no body\n\n'],
  ['a body without a header', '\nbody\n'],
  ['a body whose last line has no end', 'Subject: s\n\none\ntwo'],
  ['only empty lines', '\n\n\n\n'],
  ['no MIME-Version but a multipart', 'Content-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x--\n'],
  ['MIME-Version alone', 'MIME-Version: 1.0\nSubject: s\n\ntext\n'],
  ['Content-Transfer-Encoding without MIME-Version', 'Content-Transfer-Encoding: base64\n\naGFsbG8=\n'],
  ['two parts', multipart('--x\n\none\n--x\nContent-Type: text/html\n\n<b>two</b>\n--x--\n')],
  ['preamble and epilogue', multipart('before\n--x\n\none\n--x--\nafter\n')],
  ['a part without a header', multipart('--x\n\none\n--x--\n')],
  ['a part without anything', multipart('--x\n--x--\n')],
  ['parts without anything', multipart('--x\n--x\n--x\n--x--\n')],
  ['a part with a header alone', multipart('--x\nContent-Type: text/plain\n--x--\n')],
  ['a part with an empty body', multipart('--x\nContent-Type: text/plain\n\n--x--\n')],
  ['a part with one empty line', multipart('--x\nContent-Type: text/plain\n\n\n--x--\n')],
  ['no closing delimiter', multipart('--x\n\none\n--x\n\ntwo\n')],
  ['no closing delimiter nor line end', multipart('--x\n\none\n--x\n\ntwo')],
  ['a delimiter that ends the message', multipart('--x\n\none\n--x')],
  ['only a closing delimiter', multipart('--x--\n')],
  ['the boundary never comes', multipart('text\nmore text\n')],
  ['a multipart without a body', multipart('')],
  ['a multipart without a boundary', `${head}Content-Type: multipart/mixed\n\n--x\n\none\n--x--\n`],
  ['an empty boundary', multipart('--\n\none\n----\n', '')],
  ['a boundary with spaces', multipart('--a b c\n\none\n--a b c--\n', 'a b c')],
  ['a boundary that ends with a space', multipart('--x \n\none\n--x --\n', 'x ')],
  ['a boundary with all its characters', multipart("--'()+_,-./:=?\n\none\n--'()+_,-./:=?--\n", "'()+_,-./:=?")],
  ['a boundary of dashes', multipart('------\n\none\n--------\n', '----')],
  ['a boundary of 70 characters', multipart(`--${'b'.repeat(70)}\n\none\n--${'b'.repeat(70)}--\n`, 'b'.repeat(70))],
  ['a boundary of 200 characters', multipart(`--${'b'.repeat(200)}\n\none\n--${'b'.repeat(200)}--\n`, 'b'.repeat(200))],
  ['white space behind delimiters', multipart('--x  \t\n\none\n--x \n\ntwo\n--x--  \n')],
  ['junk behind delimiters', multipart('--xjunk\n\none\n--x--junk\n\ntwo\n')],
  ['a delimiter in the middle of a line', multipart('--x\n\none --x\n --x\ntwo\n--x--\n')],
  [
    'a boundary that starts another',
    multipart('--a\nContent-Type: multipart/mixed; boundary="ab"\n\n--ab\n\none\n--ab--\n--a\n\ntwo\n--a--\n', 'a'),
  ],
  [
    'an outer boundary that is longer',
    multipart('--ab\nContent-Type: multipart/mixed; boundary="a"\n\n--a\n\none\n--a--\n--ab\n\ntwo\n--ab--\n', 'ab'),
  ],
  [
    'the same boundary twice',
    multipart('--x\nContent-Type: multipart/mixed; boundary="x"\n\n--x\n\none\n--x--\n--x\n\ntwo\n--x--\n'),
  ],
  [
    'an inner multipart that is not closed',
    multipart('--x\nContent-Type: multipart/alternative; boundary="y"\n\n--y\n\none\n--x\n\ntwo\n--x--\n'),
  ],
  [
    'an inner multipart that the outer closes',
    multipart('--x\nContent-Type: multipart/alternative; boundary="y"\n\n--y\n\none\n--x--\n'),
  ],
  [
    'the inner goes on behind the outer',
    multipart('--x\nContent-Type: multipart/alternative; boundary="y"\n\n--y\n\none\n--x--\n--y\n\ntwo\n--y--\n'),
  ],
  [
    'an inner multipart without parts',
    multipart('--x\nContent-Type: multipart/alternative; boundary="y"\n\nnothing\n--x\n\ntwo\n--x--\n'),
  ],
  ['a delimiter in a part header', multipart('--x\nContent-Type: text/html\nX: y\n--x\n\ntwo\n--x--\n')],
  ['parts behind the end', multipart('--x\n\none\n--x--\n--x\n\ntwo\n--x--\n')],
  ['an epilogue of empty lines', multipart('--x\n\none\n--x--\n\n\n\n')],
  ['no empty line before the first delimiter', `${head}Content-Type: multipart/mixed; boundary=x\n--x\n\none\n--x--\n`],
  ['three levels', nested(3)],
  ['thirty levels', nested(30)],
  ['a letter in a letter', forwarded(1)],
  ['a letter in nine letters', forwarded(9)],
  ['a letter in a part', multipart('--x\nContent-Type: message/rfc822\n\nSubject: in\nFrom: c@d\n\ntext\n--x--\n')],
  [
    'a multipart in a letter in a part',
    multipart(`--x\nContent-Type: message/rfc822\n\n${multipart('--y\n\none\n--y\n\ntwo\n--y--\n', 'y')}\n--x--\n`),
  ],
  [
    'two letters',
    multipart(
      '--x\nContent-Type: message/rfc822\n\nSubject: 1\n\none\n--x\nContent-Type: message/rfc822\n\nSubject: 2\n\ntwo\n--x--\n',
    ),
  ],
  ['an empty letter in a part', multipart('--x\nContent-Type: message/rfc822\n\n--x--\n')],
  ['a letter of one empty line', multipart('--x\nContent-Type: message/rfc822\n\n\n--x--\n')],
  [
    'a letter with a header that a delimiter ends',
    multipart('--x\nContent-Type: message/rfc822\n\nSubject: cut\n--x--\n'),
  ],
  ['a letter without a body', multipart('--x\nContent-Type: message/rfc822\n\nSubject: in\n\n--x--\n')],
  [
    'a letter in base64',
    multipart(
      '--x\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogcwoKdGV4dAo=\n--x--\n',
    ),
  ],
  ['message/global', multipart('--x\nContent-Type: message/global\n\nSubject: \xc3\xa4\n\ntext\n--x--\n')],
  ['message/partial', multipart('--x\nContent-Type: message/partial; id=a; number=1\n\nSubject: in\n\ntext\n--x--\n')],
  [
    'message/external-body',
    multipart(
      '--x\nContent-Type: message/external-body; access-type=local-file; name=a\n\nContent-Type: text/plain\n\n--x--\n',
    ),
  ],
  [
    'message/delivery-status',
    multipart(
      '--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b\n--x--\n',
      'x',
      'report',
    ),
  ],
  ['text/rfc822-headers', multipart('--x\nContent-Type: text/rfc822-headers\n\nSubject: in\n--x--\n', 'x', 'report')],
  ['a digest', multipart('--x\n\nSubject: 1\n\none\n--x\n\nSubject: 2\n\ntwo\n--x--\n', 'x', 'digest')],
  [
    'a digest with a typed part',
    multipart('--x\nContent-Type: text/plain\n\nSubject: 1\n--x\n\nSubject: 2\n\ntwo\n--x--\n', 'x', 'digest'),
  ],
  [
    'a digest in a digest',
    multipart(
      '--x\nContent-Type: multipart/digest; boundary=y\n\n--y\n\nSubject: in\n\none\n--y--\n--x--\n',
      'x',
      'digest',
    ),
  ],
  ['bare LF inside and CR before it', multipart('--x\n\none\r\r\n--x--\n')],
  ['a long line', `${head}\n${'long '.repeat(20_000)}\n`],
  ['a long header line', `From: a@one.test\nSubject: ${'word '.repeat(5_000)}\n\ntext\n`],
  ['a thousand parts', multipart(`${'--x\n\npart\n'.repeat(1000)}--x--\n`)],
  ['a header line that is no field', 'From: a@one.test\nthis is no field\nSubject: s\n\ntext\n'],
  ['an mbox line first', 'From a@one.test Mon Feb  2 10:00:00 2026\nFrom: a@one.test\nSubject: s\n\ntext\n'],
  ['a continuation first', ' folded\nFrom: a@one.test\n\ntext\n'],
  ['a line of white space in the header', 'From: a@one.test\n \nSubject: s\n\ntext\n'],
  ['a space before the colon', 'From : a@one.test\nSubject : s\nContent-Type : text/html\n\ntext\n'],
  ['a field without a name', 'From: a@one.test\n: nameless\nSubject: s\n\ntext\n'],
  ['a field without a value', 'From:\nTo: \nSubject:\nDate:\nMessage-ID:\n\ntext\n'],
  ['names in capitals', 'FROM: a@one.test\nSUBJECT: s\nCONTENT-TYPE: TEXT/HTML; CHARSET=UTF-8\n\ntext\n'],
]

const fields: [string, string][] = [
  ['type without a subtype', 'Content-Type: text'],
  ['unknown word as type', 'Content-Type: foo'],
  ['empty type', 'Content-Type:'],
  ['type in quotes', 'Content-Type: "text/html"'],
  ['type with spaces', 'Content-Type: text / html ; charset = "utf-8"'],
  ['type with comments', 'Content-Type: (a) text (b) / (c) html (d); (e) charset (f) = (g) utf-8 (h)'],
  ['no semicolon before a parameter', 'Content-Type: text/html charset=utf-8'],
  ['a comma before a parameter', 'Content-Type: text/html, charset=utf-8'],
  ['two semicolons', 'Content-Type: text/html;; charset=utf-8;'],
  ['a parameter without value', 'Content-Type: text/html; charset; format=flowed'],
  ['a parameter with an empty value', 'Content-Type: text/html; charset=; name=""'],
  ['a value with spaces and no quotes', 'Content-Type: application/pdf; name=a b c.pdf'],
  ['a value with an open quote', 'Content-Type: application/pdf; name="a b c.pdf'],
  ['a value with escapes', 'Content-Type: application/pdf; name="a \\"b\\" \\\\ c.pdf"'],
  ['a value that is folded', 'Content-Type: application/pdf;\n\tname="a\n b.pdf"'],
  ['the same parameter twice', 'Content-Type: text/plain; charset=utf-8; charset=iso-8859-1'],
  ['the field twice', 'Content-Type: text/plain\nContent-Type: text/html'],
  ['RFC 2231 charset', "Content-Type: application/pdf; name*=utf-8''%c3%a4.pdf"],
  ['RFC 2231 continuations', 'Content-Type: application/pdf; name*0="one "; name*1="two "; name*2="three"'],
  [
    'RFC 2231 continuations, extended',
    'Content-Type: application/pdf; name*0*=utf-8\'de\'%c3%a4; name*1*=%c3%b6; name*2="z z"',
  ],
  ['RFC 2231 continuations out of order', 'Content-Type: application/pdf; name*1=two; name*0=one'],
  ['RFC 2231 continuations with a gap', 'Content-Type: application/pdf; name*0=one; name*2=three'],
  ['RFC 2231 beside the plain one', "Content-Type: application/pdf; name=a.pdf; name*=utf-8''%c3%a4.pdf"],
  ['encoded word in a parameter', 'Content-Type: application/pdf; name="=?utf-8?Q?=C3=A4.pdf?="'],
  ['raw 8 bit in a parameter', 'Content-Type: application/pdf; name="\xc3\xa4.pdf"'],
  ['latin1 in a parameter', 'Content-Type: application/pdf; name="\xe4.pdf"'],
  ['disposition', 'Content-Disposition: attachment; filename="a.pdf"; size=12'],
  ['disposition without value', 'Content-Disposition: ; filename=a'],
  ['empty disposition', 'Content-Disposition:'],
  ['disposition in capitals', 'Content-Disposition: ATTACHMENT; FILENAME=A.PDF'],
  ['encoding in capitals', 'Content-Transfer-Encoding: BASE64'],
  ['encoding with a comment', 'Content-Transfer-Encoding: (c) quoted-printable (d)'],
  ['encoding with a semicolon', 'Content-Transfer-Encoding: 7bit;'],
  ['empty encoding', 'Content-Transfer-Encoding:'],
  ['unknown encoding', 'Content-Transfer-Encoding: x-what'],
  ['id and description', 'Content-ID: <a@b>\nContent-Description: a   b\n\tc'],
  ['md5', 'Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ=='],
  ['languages', 'Content-Language: en, de-CH (Swiss), fr'],
  ['one language', 'Content-Language: mi'],
  ['location', 'Content-Location: http://one.test/a b'],
  ['location that is folded', 'Content-Location: http://one.test/a\n b\n\tc'],
  ['charset with a comment', 'Content-Type: text/plain; charset=us-ascii (plain)'],
  ['slashes', 'Content-Type: text/html/xml'],
  ['slash alone', 'Content-Type: /'],
  ['multipart without subtype', 'Content-Type: multipart'],
  ['multipart with an empty subtype', 'Content-Type: multipart/; boundary=x'],
  ['8 bit in the type', 'Content-Type: t\xe4xt/plain'],
  ['control characters', 'Content-Type: text/pl\x01ain; na\x02me="a\x03b"'],
  ['a tab and a form feed', 'Content-Description: a\tb\x0cc'],
]

const addresses: [string, string][] = [
  ['plain', 'a@one.test'],
  ['angle', '<a@one.test>'],
  ['name', 'A B <a@one.test>'],
  ['quoted name', '"A, B" <a@one.test>'],
  ['escapes', '"A \\"the\\" B\\\\" <a@one.test>'],
  ['comment as name', 'a@one.test (A B)'],
  ['nested comment', 'a@one.test (A (the) B)'],
  ['comments everywhere', '(a) A (b) <(c) a (d) @ (e) one.test (f)> (g)'],
  ['list', 'a@one.test, B <b@one.test>,c@one.test'],
  ['empty elements', ',, a@one.test, , b@one.test,'],
  ['group', 'G: a@one.test, B <b@one.test>;'],
  ['empty group', 'undisclosed-recipients:;'],
  ['two groups', 'G: a@one.test;, H: b@one.test;'],
  ['group in quotes', '"G H": a@one.test;'],
  ['group that is not closed', 'G: a@one.test, b@one.test'],
  ['address behind a group', 'G: a@one.test; b@one.test'],
  ['group in a group', 'G: a@one.test, H: b@one.test;;'],
  ['route', '<@h1.test,@h2.test:a@one.test>'],
  ['route without address', '<@h1.test:>'],
  ['quoted local part', '"a b"@one.test'],
  ['quoted local part in angle', '<"a b"@one.test>'],
  ['dots and spaces', 'a . b @ one . test'],
  ['literal', 'a@[192.0.2.1]'],
  ['literal with spaces', 'a@[ 192.0.2.1 ]'],
  ['no domain', 'a'],
  ['no domain in angle', 'A <a>'],
  ['no local part', '@one.test'],
  ['no local part in angle', 'A <@one.test>'],
  ['empty angle', '<>'],
  ['empty angle with name', 'A <>'],
  ['words', 'A B C'],
  ['open angle', 'A <a@one.test'],
  ['open angle and another', 'A <a@one.test, b@one.test'],
  ['open quote', '"A <a@one.test>'],
  ['open comment', 'a@one.test (A'],
  ['address as name', 'a@one.test <a@one.test>'],
  ['two at', 'a@b@one.test'],
  ['semicolons', 'a@one.test; b@one.test'],
  ['no comma', '<a@one.test> <b@one.test>'],
  ['brackets in name', 'A [x] <a@one.test>'],
  ['dot in name', 'A. B <a@one.test>'],
  ['encoded word', '=?utf-8?Q?=C3=A4?= <a@one.test>'],
  ['two encoded words', '=?utf-8?Q?=C3=A4?= =?utf-8?Q?=C3=B6?= <a@one.test>'],
  ['encoded word in quotes', '"=?utf-8?Q?=C3=A4?=" <a@one.test>'],
  ['encoded word as comment', 'a@one.test (=?utf-8?Q?=C3=A4?=)'],
  ['UTF-8', '\xc3\xa4 <\xc3\xa4@one.test>'],
  ['latin1', '\xe4 <a@one.test>'],
  ['folded', 'A\n B\n\t<a@one.test>,\n b@one.test'],
  ['apostrophes', "'A B' <a@one.test>"],
  ['mailto', '<mailto:a@one.test>'],
  ['trailing dot', 'a@one.test.'],
  ['two dots', 'a..b@one.test'],
  ['only a comment', '(nobody)'],
  ['only white space', '  '],
  ['backslash', 'a\\b@one.test'],
  ['name with tabs', 'A\tB <a@one.test>'],
  ['name and comment', 'A <a@one.test> (B)'],
  ['empty quotes', '"" <a@one.test>'],
  ['quotes beside words', 'A "B" C <a@one.test>'],
  ['quotes against words', 'A"B"C <a@one.test>'],
]

const texts: [string, string][] = [
  ['folded subject', 'Subject: one\n two\n\tthree'],
  ['spaces in the subject', 'Subject:   one   two  '],
  ['tabs in the subject', 'Subject: one\ttwo\t\tthree'],
  ['quotes in the subject', 'Subject: "one" \\ two'],
  ['encoded subject', 'Subject: =?utf-8?B?w6Q=?= =?utf-8?B?w7Y=?='],
  ['UTF-8 subject', 'Subject: \xc3\xa4'],
  ['latin1 subject', 'Subject: \xe4'],
  ['NUL-like escapes', 'Subject: a\x01b\x7f'],
  ['subject twice', 'Subject: one\nSubject: two'],
  ['from twice', 'From: a@one.test\nFrom: b@one.test'],
  ['date with junk', 'Date: yesterday, I think'],
  ['date twice', 'Date: Mon, 2 Feb 2026 10:00:00 +0100\nDate: Tue, 3 Feb 2026 10:00:00 +0100'],
  ['folded date', 'Date: Mon, 2 Feb 2026\n 10:00:00 +0100 (CET)'],
  ['two ids in In-Reply-To', 'In-Reply-To: <a@b> <c@d>'],
  ['words in In-Reply-To', 'In-Reply-To: Your message of Monday <a@b>'],
  ['folded Message-ID', 'Message-ID:\n <a@b>'],
  ['Message-ID without brackets', 'Message-ID: a@b'],
  ['sender and reply-to', 'From: a@one.test\nSender: s@one.test\nReply-To: r@one.test'],
  ['empty sender and reply-to', 'From: a@one.test\nSender:\nReply-To: '],
  ['sender that is a comment', 'From: a@one.test\nSender: (nobody)'],
  ['several senders', 'From: a@one.test, b@one.test\nSender: a@one.test, b@one.test'],
]

export const hardMessages: readonly HardMessage[] = [
  ...structure.map(([name, text]) => ({ name, content: octets(text) })),
  ...fields.flatMap(([name, field]) => [
    { name: `${name}, of the message`, content: octets(`${head}${field}\n\ntext\n`) },
    { name: `${name}, of a part`, content: octets(multipart(`--x\n${field}\n\ntext\n--x--\n`)) },
  ]),
  ...addresses.map(([name, value]) => ({ name: `address: ${name}`, content: octets(`To: ${value}\n\ntext\n`) })),
  ...texts.map(([name, field]) => ({ name, content: octets(`${field}\n\ntext\n`) })),
]

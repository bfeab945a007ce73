/**
 * Small messages that are hard to read right, each with the BODY that is expected for it. Line ends are LF here and
 * CRLF when scanned. Sizes and lines therefore count CRLF.
 */
export interface Case {
  title: string
  message: string
  body: string
}

const plain = (size: number, lines: number) => `("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" ${size} ${lines})`

export const cases: readonly Case[] = [
  { title: 'nothing at all', message: '', body: plain(0, 0) },
  { title: 'an empty line alone', message: '\n', body: plain(0, 0) },
  { title: 'a header section without an empty line', message: 'Subject: x\n', body: plain(0, 0) },
  { title: 'a header section cut in its last line', message: 'Subject: x', body: plain(0, 0) },
  { title: 'a body whose last line has no end', message: 'Subject: x\n\none\ntwo', body: plain(8, 1) },
  {
    title: 'no MIME at all: an encoding alone says nothing',
    message: 'Content-Transfer-Encoding: base64\n\nAA==\n',
    body: plain(6, 1),
  },
  {
    title: 'a charset, an encoding and their case',
    message:
      'MIME-Version: 1.0\nContent-Type: TEXT/Plain; Charset="ISO-8859-1"\nContent-Transfer-Encoding: Quoted-Printable\n\nx\n',
    body: '("text" "plain" ("Charset" "ISO-8859-1") NIL NIL "quoted-printable" 3 1)',
  },
  {
    title: 'an attachment as the whole message',
    message:
      'Content-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\nContent-ID: <1@one.test>\nContent-Description: a "file"\n\nAAAA\n',
    body: '("application" "pdf" ("name" "a.pdf") "<1@one.test>" "a \\"file\\"" "base64" 6)',
  },
  {
    title: 'two parts, preamble and epilogue',
    message:
      'Content-Type: multipart/mixed; boundary=b\n\npreamble\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>\n\n--b--\nepilogue\n',
    body: `(${plain(3, 0)}("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 5 1) "mixed")`,
  },
  {
    title: 'a delimiter right behind the last one of an inner multipart has the line end between them',
    message:
      'Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--a--\n',
    body: `(("message" "rfc822" NIL NIL NIL "7bit" 62 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (${plain(3, 0)} "mixed") 5) "mixed")`,
  },
  {
    title: 'a delimiter as the first line of the body',
    message: 'Content-Type: multipart/mixed; boundary="b b"\n\n--b b\n\none\n--b b--',
    body: `(${plain(3, 0)} "mixed")`,
  },
  {
    title: 'a multipart that is never closed',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntwo\n',
    body: `(${plain(3, 0)}${plain(5, 1)} "mixed")`,
  },
  {
    title: 'a multipart without boundary',
    message: 'Content-Type: multipart/mixed\n\n--b\n\none\n--b--\n',
    body: `(${plain(0, 0)} "mixed")`,
  },
  {
    title: 'a boundary that never comes',
    message: 'Content-Type: multipart/mixed; boundary=b\n\nno part\n',
    body: `(${plain(0, 0)} "mixed")`,
  },
  {
    title: 'an empty boundary',
    message: 'Content-Type: multipart/mixed; boundary=""\n\n--\n\none\n',
    body: `(${plain(0, 0)} "mixed")`,
  },
  {
    title: 'a multipart that closes before it begins',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b--\n--b\n\none\n',
    body: `(${plain(0, 0)} "mixed")`,
  },
  {
    title: 'an empty part',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b\n\ntwo\n--b--\n',
    body: `(${plain(0, 0)}${plain(3, 0)} "mixed")`,
  },
  {
    title: 'a part with neither header nor empty line',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\n--b--\n',
    body: `(${plain(0, 0)} "mixed")`,
  },
  {
    title: 'a part whose header runs into the delimiter',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\n--b\n\ntwo\n--b--\n',
    body: `(("image" "png" NIL NIL NIL "7bit" 0)${plain(3, 0)} "mixed")`,
  },
  {
    title: 'white space behind a boundary, and dashes that are none',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b  \n\n-- b\n -- b\n--c\n--b-- \t\n',
    body: `(${plain(16, 2)} "mixed")`,
  },
  {
    title: 'one boundary that is the start of another',
    message:
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n--bb\n\none\n--bb\n\ntwo\n--bb--\n\n--b\n\nthree\n--b--\n',
    body: `((${plain(3, 0)}${plain(3, 0)} "alternative")${plain(5, 0)} "mixed")`,
  },
  {
    title: 'an outer boundary that is longer than the inner one',
    message:
      'Content-Type: multipart/mixed; boundary=bb\n\n--bb\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--bb\n\ntwo\n--bb--\n',
    body: `((${plain(3, 0)} "alternative")${plain(3, 0)} "mixed")`,
  },
  {
    title: 'a boundary that ends in dashes',
    message: 'Content-Type: multipart/mixed; boundary="b--"\n\n--b--\n\none\n--b----\n',
    body: `(${plain(3, 0)} "mixed")`,
  },
  {
    title: 'the same boundary inside and outside',
    message:
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n',
    body: `((${plain(3, 0)} "alternative")${plain(3, 0)} "mixed")`,
  },
  {
    title: 'an inner multipart that an outer delimiter ends',
    message:
      'Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/mixed; boundary=i\n\n--i\n\none\n--o\n\ntwo\n--o--\n',
    body: `((${plain(3, 0)} "mixed")${plain(3, 0)} "mixed")`,
  },
  {
    title: 'a message inside a part',
    message:
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: inner\nFrom: alice@one.test\n\none\ntwo\n--b--\n',
    body: `(("message" "rfc822" NIL NIL NIL "7bit" 48 (NIL "inner" ((NIL NIL "alice" "one.test")) ((NIL NIL "alice" "one.test")) ((NIL NIL "alice" "one.test")) NIL NIL NIL NIL NIL) ${plain(8, 1)} 4) "mixed")`,
  },
  {
    title: 'a message part without any message',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n--b--\n',
    body: `(("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ${plain(0, 0)} 0) "mixed")`,
  },
  {
    title: 'a message part that its delimiter cuts in the header',
    message: 'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n--b--\n',
    body: `(("message" "rfc822" NIL NIL NIL "7bit" 0 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) ${plain(0, 0)} 0) "mixed")`,
  },
  {
    title: 'a message as the whole message, itself a multipart',
    message: 'Content-Type: message/rfc822\n\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n',
    body: `("message" "rfc822" NIL NIL NIL "7bit" 64 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) (${plain(3, 0)} "mixed") 6)`,
  },
  {
    title: 'message/global in the clear',
    message: 'Content-Type: message/global\n\nSubject: ü\n\none\n',
    body: `("message" "global" NIL NIL NIL "7bit" 20 (NIL "ü" NIL NIL NIL NIL NIL NIL NIL NIL) ${plain(5, 1)} 3)`,
  },
  {
    title: 'message/global that is encoded stays opaque',
    message: 'Content-Type: message/global\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDog\n',
    body: '("message" "global" NIL NIL NIL "base64" 14)',
  },
  {
    title: 'a digest, whose parts are messages unless they say otherwise',
    message:
      'Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: 1\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b--\n',
    body: `(("message" "rfc822" NIL NIL NIL "7bit" 17 (NIL "1" NIL NIL NIL NIL NIL NIL NIL NIL) ${plain(3, 0)} 2)${plain(3, 0)} "digest")`,
  },
  {
    title: 'message/partial and message/external-body are not looked into',
    message:
      'Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/partial; id=a; number=1\n\nSubject: x\n\n--b\nContent-Type: message/external-body; access-type=url\n\nContent-Type: text/plain\n\n--b--\n',
    body: '(("message" "partial" ("id" "a" "number" "1") NIL NIL "7bit" 12)("message" "external-body" ("access-type" "url") NIL NIL "7bit" 26) "mixed")',
  },
  { title: 'a type without subtype', message: 'Content-Type: text\n\nx\n', body: plain(3, 1) },
  {
    title: 'a type that is empty',
    message: 'Content-Type: ;charset=utf-8\n\nx\n',
    body: '("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'a type that is junk',
    message: 'Content-Type: pdf\n\nx\n',
    body: '("application" "octet-stream" NIL NIL NIL "7bit" 3)',
  },
  {
    title: 'a type in quotes',
    message: 'Content-Type: "text/html"\n\nx\n',
    body: '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'a boundary that ends with white space, and its closing delimiter',
    message: 'Content-Type: multipart/mixed; boundary="b "\n\n--b \n\none\n--b --\nepilogue\n',
    body: `(${plain(3, 0)} "mixed")`,
  },
  {
    title: 'white space around the slash',
    message: 'Content-Type: text / html\n\nx\n',
    body: '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'a missing semicolon',
    message: 'Content-Type: text/html charset=utf-8\n\nx\n',
    body: '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'comments, a quoted value with escapes, one without its closing quote',
    message: 'Content-Type: text/plain (really; "so") ; (c) name="a\\"b\\\\c" (d); charset = utf-8 (e); x="open\n\nx\n',
    body: '("text" "plain" ("name" "a\\"b\\\\c" "charset" "utf-8" "x" "open") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'parameters without value or name, and one given twice',
    message: 'Content-Type: text/plain; ; a; =b; c=; d=1; D=2;\n\nx\n',
    body: '("text" "plain" ("c" "" "d" "1" "charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'continuations (RFC 2231)',
    message:
      'Content-Type: message/external-body; access-type=URL;\n URL*0="ftp://";\n URL*1="cs.utk.edu/pub/moore/"\n\nx\n',
    body: '("message" "external-body" ("access-type" "URL" "URL" "ftp://cs.utk.edu/pub/moore/") NIL NIL "7bit" 3)',
  },
  {
    title: 'continuations with charset keep their form (RFC 2231)',
    message:
      "Content-Type: application/x-stuff;\n title*0*=us-ascii'en'This%20is%20even%20more%20;\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\n title*2=\"isn't it!\"\n\nx\n",
    body: `("application" "x-stuff" ("title*" "us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it!") NIL NIL "7bit" 3)`,
  },
  {
    title: 'continuations with a gap end before it',
    message: 'Content-Type: a/b; n*0=x; n*2=z; m*1=y\n\nx\n',
    body: '("a" "b" ("n" "x" "m" "") NIL NIL "7bit" 3)',
  },
  {
    title: 'two Content-Type fields: the first counts',
    message: 'Content-Type: text/html\nContent-Type: image/png\n\nx\n',
    body: '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
  {
    title: 'a folded type and boundary',
    message: 'Content-Type: multipart/mixed;\n\tboundary=b\n\n--b\n\none\n--b--\n',
    body: `(${plain(3, 0)} "mixed")`,
  },
  {
    title: 'junk before the fields',
    message: 'From alice Thu Nov 26 09:30:00 2026\nnot a field\nContent-Type: text/html\n\nx\n',
    body: '("text" "html" ("charset" "us-ascii") NIL NIL "7bit" 3 1)',
  },
]

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { complete, mailboxesOf, parseAddressList, quoteLocalPart } from './address.ts'

const known: [text: string, addresses: string[]][] = [
  ['', []],
  [' , ,', []],
  ['(nobody)', []],
  ['john.q.public@example.com', ['- - john.q.public example.com']],
  ['<john@example.com>', ['- - john example.com']],
  ['John Q. Public <john@example.com>', ['John Q. Public - john example.com']],
  ['"Joe Q. \\"Public\\"" <joe@example.com>', ['Joe Q. "Public" - joe example.com']],
  [
    'Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>',
    ['Mary Smith - mary x.test', '- - jdoe example.org', 'Who? - one y.test'],
  ],
  ['alice@one.test (Alice (the first))', ['Alice (the first) - alice one.test']],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', ['Pete - pete silly.test']],
  [
    'A Group:Ed Jones <joe@where.test>,joe@where.test;',
    ['- - A Group -', 'Ed Jones - joe where.test', '- - joe where.test', '- - - -'],
  ],
  ['Undisclosed recipients:;', ['- - Undisclosed recipients -', '- - - -']],
  ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', ['- - Hidden recipients -', '- - - -']],
  ['group: a@b, c@d', ['- - group -', '- - a b', '- - c d', '- - - -']],
  ['"quoted local"@one.test', ['- - quoted local one.test']],
  ['"a\\"b"@[192.0.2.1]', ['- - a"b [192.0.2.1]']],
  ['<"with @ sign"@one.test>', ['- - with @ sign one.test']],
  ['1.2 . 3 @ one . test', ['- - 1.2.3 one.test']],
  ['<@hop.test,@hop2.test:alice@one.test>', ['- @hop.test,@hop2.test alice one.test']],
  ['<@[IPv6:2001:db8::1],@hop.test:alice@one.test>', ['- @[IPv6:2001:db8::1],@hop.test alice one.test']],
  ['=?utf-8?Q?J=C3=BCrgen?= <j@one.test>', ['=?utf-8?Q?J=C3=BCrgen?= - j one.test']],
  ['Jürgen <jürgen@bücher.test>', ['Jürgen - jürgen bücher.test']],
  ['alice', ['- - alice MISSING_DOMAIN']],
  ['Alice Miller', ['Alice Miller - MISSING_MAILBOX MISSING_DOMAIN']],
  ['<>', ['- - MISSING_MAILBOX MISSING_DOMAIN']],
  ['Alice <>', ['Alice - MISSING_MAILBOX MISSING_DOMAIN']],
  ['<alice>', ['- - alice MISSING_DOMAIN']],
  ['alice@', ['- - alice MISSING_DOMAIN']],
  ['@one.test', ['- - MISSING_MAILBOX one.test']],
  ['alice@one.test <alice@one.test>', ['alice@one.test - alice one.test']],
  ['Alice <alice@one.test', ['Alice - alice one.test']],
  ['"Alice <alice@one.test>', ['Alice <alice@one.test> - MISSING_MAILBOX MISSING_DOMAIN']],
  ['alice@one.test; bob@two.test', ['- - alice one.test', '- - bob two.test']],
  ['<a@b> <c@d>', ['- - a b', '- - c d']],
  ['<Undisclosed-Recipient:;>', ['- - Undisclosed-Recipient -', '- - - -']],
  ['< hidden : ;@one.test; >, a@b', ['- - hidden -', '- - - -', '- - a b']],
  ['Alice Miller alice@one.test', ['Alice Miller - alice one.test']],
  ['"Miller, Alice" alice . m @one.test', ['Miller, Alice - alice.m one.test']],
  ['<Undisclosed Recipients@one.test>', ['- - Undisclosed Recipients one.test']],
  ['Alice [Sales] <a@b>', ['Alice [Sales] - a b']],
  ['A\\B)>C . [d] <a)b\\c@d>', ['A\\B)>C . [d] - a)b\\c d']],
  ['g:a:b c\\:@d;', ['- - g -', 'a:b - c\\: d', '- - - -']],
]

test.each(known)('%s', (text, addresses) => {
  const shown = parseAddressList(text)
    .map(complete)
    .map(({ name, route, mailbox, host }) => [name, route, mailbox, host].map((part) => part ?? '-').join(' '))
  expect(shown).toEqual(addresses)
})

test('what is written as an address is read as that address', () => {
  const localPart = fc.stringMatching(/^[ -~]{1,20}$/)
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{0,20}$/), localPart, (name, local) => {
      const written = `"${name.replace(/["\\]/g, '\\$&')}" <${quoteLocalPart(local)}@one.test>`
      expect(parseAddressList(written)).toEqual([
        { ...(name === '' ? {} : { name }), mailbox: local, host: 'one.test' },
      ])
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('any text gives entries with all that ENVELOPE needs, and groups that close', () => {
  const piece = fc.constantFrom('<', '>', '@', ':', ';', ',', '"', '\\', '(', ')', '[', ']', '.', ' ', 'a', 'é', '=?')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      let open = 0
      for (const { mailbox, host } of parseAddressList(pieces.join(''))) {
        if (host !== undefined) expect(mailbox).toBeDefined()
        else open += mailbox === undefined ? -1 : 1
        expect(open).toBeGreaterThanOrEqual(-1)
      }
    }),
    { seed: 4, numRuns: 500 },
  )
})

test('of a megabyte of entries only as many are read as are wanted, and those are the first', () => {
  const piece = fc.constantFrom('a@b', '<a@b>', 'g:', ';', ',', '<', '"x" ', '(c)', '<h:;>')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), (pieces, most) => {
      const text = pieces.join('')
      expect(parseAddressList(text, most)).toEqual(parseAddressList(text).slice(0, most))
    }),
    { seed: 5, numRuns: 300 },
  )
  expect(parseAddressList('<>'.repeat(500_000), 3)).toHaveLength(3)
})

test('who is called like what stands for a missing local part was nobody', () => {
  const list = 'g: "a b"@one.test, nobody;, <c@two.test>, <@two.test>, MISSING_MAILBOX@two.test'
  expect(mailboxesOf(parseAddressList(list))).toEqual(['"a b"@one.test', 'c@two.test', 'MISSING_MAILBOX@two.test'])
})

test('a megabyte of domains cut in pieces is read in one pass', () => {
  expect(parseAddressList('a@b. '.repeat(200_000))).toHaveLength(1)
})

test('a megabyte of words, and of routes that are none, is read in one pass', () => {
  expect(parseAddressList(`${'"a" '.repeat(250_000)}<a@b>`)).toMatchObject([{ mailbox: 'a', host: 'b' }])
  expect(parseAddressList('<@,'.repeat(300_000))).toHaveLength(300_000)
  expect(parseAddressList(`<@${'[:'.repeat(500_000)}`)).toHaveLength(1)
})

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createMboxReader, createMboxWriter, mboxEnvelopeLine } from './index.ts'

interface Found {
  at: number | undefined
  content: string
}

function read(octets: Buffer, cut = octets.length): Found[] {
  const found: Found[] = []
  const reader = createMboxReader({
    begin: (at) => found.push({ at, content: '' }),
    data: (piece) => {
      ;(found.at(-1) as Found).content += piece.toString('latin1')
    },
    end: () => undefined,
  })
  for (let at = 0; at < octets.length; at += cut) reader.push(octets.subarray(at, at + cut))
  reader.finish()
  return found
}

const file = `junk before
From alice@one.test Thu Nov 26 09:30:00 2026
Subject: a

one
From here on no message starts
>From quoted
>>From twice

From MAILER-DAEMON Thu Nov 26 09:30:00 2026 +0100
Subject: b

From the empty line before this a message starts

`

test('messages, envelope lines, quoting', () => {
  expect(read(Buffer.from(file))).toEqual([
    {
      at: Date.UTC(2026, 10, 26, 9, 30),
      content: 'Subject: a\n\none\nFrom here on no message starts\nFrom quoted\n>From twice\n',
    },
    { at: Date.UTC(2026, 10, 26, 8, 30), content: 'Subject: b\n' },
    { at: undefined, content: '' },
  ])
  expect(read(Buffer.from(file), 1)).toEqual(read(Buffer.from(file)))
})

test('letters of Netscape, with no empty line between them, were one letter', () => {
  const letters = ['From - ', 'From - Mon Jun  3 12:50:27 1996', 'From -', 'From a@b Fri Nov  8 18:21:51 1996 +0100']
  const octets = Buffer.from(letters.map((line, number) => `${line}\nSubject: ${number}\n\n--x--\n`).join(''))
  for (const cut of [1, octets.length]) {
    expect(read(octets, cut).map(({ at, content }) => [at, content])).toEqual([
      [undefined, 'Subject: 0\n\n--x--\n'],
      [Date.UTC(1996, 5, 3, 12, 50, 27), 'Subject: 1\n\n--x--\n'],
      [undefined, 'Subject: 2\n\n--x--\n'],
      [Date.UTC(1996, 10, 8, 17, 21, 51), 'Subject: 3\n\n--x--\n'],
    ])
  }
})

test('lines longer than any envelope line stay whole', () => {
  const line = 'x'.repeat(5000)
  const octets = Buffer.from(`From a@b Thu Nov 26 09:30:00 2026\n\n>From ${line}\n${line}\n\n`)
  for (const cut of [1, 1000, 100_000])
    expect(read(octets, cut).map(({ content }) => content)).toEqual([`\nFrom ${line}\n${line}\n`])
})

test('a long row of > before From loses the one that was put there', () => {
  const content = `a: b\n\n${'>'.repeat(300)}From x\n`
  const writer = createMboxWriter()
  const octets = [mboxEnvelopeLine('a@b', 0), writer.push(Buffer.from(content)), writer.finish()]
  expect(read(Buffer.concat(octets)).map((message) => message.content)).toEqual([content])
})

test('what is written is read', () => {
  const piece = fc.constantFrom('From ', '>', '>From x', '\r\n', '\n', 'a', '\r', 'é', 'x'.repeat(70_000))
  fc.assert(
    fc.property(
      fc.array(fc.array(piece, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 50 }),
      (messages, cut) => {
        const contents = messages.map((pieces) => Buffer.from(`a: b\r\n${pieces.join('')}`))
        const written = contents.map((content) => {
          const writer = createMboxWriter()
          const out = [mboxEnvelopeLine('alice@one.test', 0)]
          for (let at = 0; at < content.length; at += cut * 500)
            out.push(writer.push(content.subarray(at, at + cut * 500)))
          return Buffer.concat([...out, writer.finish()])
        })
        const expected = contents.map((content) =>
          content
            .toString('latin1')
            .replace(/[^\n]$/, '$&\n')
            .replace(/\r\n/g, '\n'),
        )
        expect(read(Buffer.concat(written), cut * 300).map(({ content }) => content)).toEqual(expected)
      },
    ),
    { seed: 9, numRuns: 100 },
  )
})

test('envelope lines', () => {
  expect(mboxEnvelopeLine('a@b', Date.UTC(2026, 10, 6, 9, 30)).toString()).toBe('From a@b Fri Nov  6 09:30:00 2026\n')
  expect(mboxEnvelopeLine('', 0).toString()).toBe('From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n')
})

test('an envelope line of spaces was tried in every way to cut it', () => {
  const file = Buffer.from(`From ${' '.repeat(900)}\r-\nSubject: a\n\nb\n`)
  expect(read(file)).toEqual([{ at: undefined, content: 'Subject: a\n\nb\n' }])
})

test('the date behind a sender with an à, whose last octet is a no-break space in latin1, is read', () => {
  const at = Date.UTC(2026, 10, 26, 9, 30)
  expect(read(Buffer.concat([mboxEnvelopeLine('pietà@one.test', at), Buffer.from('a: b\n\n')]))[0]?.at).toBe(at)
})

import type { MailboxId, MailStore } from '@pennypost/model'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ThreadKeys } from '../view/thread-keys.ts'
import { orderedSubject } from './ordered-subject.ts'
import { printThreads, threadText } from './print.ts'
import { references } from './references.ts'
import { descendants, messageAt, type ThreadAlgorithm, type ThreadMessage, type ThreadNode } from './thread.ts'

interface Drawn {
  sentAt: number
  baseSubject: string
  replyOrForward: boolean
  messageIdHeader: string
  references: string[]
}

/** `id <reference <reference "Subject" @date`: messages in order of the mailbox, dated likewise where nothing is said. */
function mailbox(...lines: string[]): Drawn[] {
  return lines.map((line, index) => {
    const [, subject = `s${index}`] = /"([^"]*)"/.exec(line) ?? []
    const [, date = index + 1] = /@(\d+)/.exec(line) ?? []
    return {
      sentAt: Number(date),
      baseSubject: subject.replace(/^re: /, ''),
      replyOrForward: subject.startsWith('re: '),
      messageIdHeader: /^\w*/.exec(line)?.[0] ?? '',
      references: [...line.matchAll(/<(\w+)/g)].map(([, id]) => id as string),
    }
  })
}

async function threaded({ thread }: ThreadAlgorithm, drawn: readonly Drawn[]): Promise<ThreadNode[]> {
  const rows = drawn.map((index, place) => ({ uid: place + 1, index }))
  const mail = {
    fetch: async function* () {
      yield rows
    },
  } as unknown as MailStore
  const open = { mailbox: { id: 1 as MailboxId }, uids: Uint32Array.from(rows, ({ uid }) => uid), count: rows.length }
  const table = await new ThreadKeys(mail, open).table()
  return thread(
    rows.map((_, place) => messageAt(table, place)),
    table,
  )
}

async function threads(algorithm: ThreadAlgorithm, ...lines: string[]): Promise<string> {
  const text = await threadText(await threaded(algorithm, mailbox(...lines)))
  return printThreads(text, 0, text.length, (uid) => uid)
}

test('UIDs above 2³¹ were said as negative numbers, or as brackets', async () => {
  const node = (uid: number, ...children: ThreadNode[]): ThreadNode => ({ message: { uid } as ThreadMessage, children })
  const text = await threadText([node(2 ** 31, node(2 ** 32 - 2)), node(2 ** 32 - 3)])
  expect(printThreads(text, 0, text.length, (uid) => uid)).toBe('(2147483648 4294967294)(4294967293)')
})

describe('REFERENCES', () => {
  const known: [title: string, lines: string[], printed: string][] = [
    ['nothing', [], ''],
    ['no references', ['a', 'b'], '(1)(2)'],
    ['a chain', ['a', 'b <a', 'c <a <b'], '(1 2 3)'],
    ['the figure of RFC 5256 §4', figure(), '(1)(2 3 (4 5)(6 7 8))'],
    ['siblings of a missing parent', ['a <x', 'b <x'], '((1)(2))'],
    ['an only child of a missing parent', ['a <x', 'b <a'], '(1 2)'],
    ['missing ones in the middle', ['a', 'b <a <x <y', 'c <a <x <z'], '(1 (2)(3))'],
    ['missing ones above missing ones', ['a <x <y', 'b <x <z'], '((1)(2))'],
    ['parents after children', ['c <a <b', 'b <a', 'a'], '(3 2 1)'],
    ['others may know the parent', ['a', 'b', 'd <a <b', 'e <b'], '(1 2 (3)(4))'],
    ['a truncated header breaks no link', ['a', 'b <a', 'c <b', 'd <c'], '(1 2 3 4)'],
    ['a link is corrected by its message', ['a', 'd <a <b', 'c', 'b <c'], '(1)(3 4 2)'],
    ['a loop of two', ['a <b', 'b <a'], '(2 1)'],
    ['a message that refers to itself', ['a <a', 'b <b <a'], '(2 1)'],
    ['the same id twice', ['a', 'a', 'b <a'], '(1 3)(2)'],
    ['no id', ['', '', 'b <a'], '(1)(2)(3)'],
    ['ids are case-sensitive', ['a', 'b <A'], '(1)(2)'],
    ['siblings by date', ['a', 'b <a @9', 'c <a @5', 'd <a @5'], '(1 (3)(4)(2))'],
    ['threads by date', ['a @9', 'b @5', 'c <x @7', 'd <x @1'], '((4)(3))(2)(1)'],
  ]
  test.each(known)('%s', async (_, lines, printed) => {
    expect(await threads(references, ...lines)).toBe(printed)
  })

  const subjects: [title: string, lines: string[], printed: string][] = [
    ['a reply goes under the original', ['a "x"', 'b "re: x"'], '(1 2)'],
    ['also one that came first', ['b "re: x"', 'a "x"'], '(2 1)'],
    ['two originals are siblings', ['a "x"', 'b "x"'], '((1)(2))'],
    ['two replies are siblings', ['a "re: x"', 'b "re: x"'], '((1)(2))'],
    ['a third joins the siblings', ['a "x"', 'b "x"', 'c "re: x"', 'd "x"'], '((1)(2)(3)(4))'],
    ['replies under the first original', ['a "re: x"', 'b "x"', 'c "re: x"', 'd "x"'], '((2 (1)(3))(4))'],
    ['an empty subject joins nothing', ['a ""', 'b ""', 'c "re: "'], '(1)(2)(3)'],
    ['a missing parent takes the others', ['a <x "s"', 'b <x "t"', 'c "s"'], '((1)(2)(3))'],
    ['two missing parents are one', ['a <x "s"', 'b <x "t"', 'c <y "s"', 'd <y "u"'], '((1)(2)(3)(4))'],
    ['a missing parent that came later', ['c "s"', 'a <x "s"', 'b <x "t"'], '((1)(2)(3))'],
    ['only threads are joined', ['a "x"', 'b <a "y"', 'c "re: y"'], '(1 2)(3)'],
    ['the thread as a whole', ['a "x"', 'b "re: x"', 'c <b "re: x"'], '(1 2 3)'],
  ]
  test.each(subjects)('%s', async (_, lines, printed) => {
    expect(await threads(references, ...lines)).toBe(printed)
  })

  /** RFC 5256 §4: 2, 3 6 (4 23)(44 7 96), numbered anew. */
  function figure(): string[] {
    return ['a', 'b', 'c <b', 'd <b <c', 'e <d', 'f <b <c', 'g <f', 'h <b <c <f <g']
  }
})

describe('ORDEREDSUBJECT', () => {
  const known: [title: string, lines: string[], printed: string][] = [
    ['nothing', [], ''],
    ['one subject each', ['a', 'b'], '(1)(2)'],
    ['two', ['a "x"', 'b "re: x"'], '(1 2)'],
    ['no grandchildren', ['a "x"', 'b "x"', 'c <b "x"'], '(1 (2)(3))'],
    ['the first by date is the parent', ['a "x" @9', 'b "re: x" @3', 'c "x" @5'], '(2 (3)(1))'],
    ['threads by the date of the first', ['a "x" @4', 'b "y" @3', 'c "x" @1'], '(3 1)(2)'],
    ['no subject is one too', ['a ""', 'b ""'], '(1 2)'],
  ]
  test.each(known)('%s', async (_, lines, printed) => {
    expect(await threads(orderedSubject, ...lines)).toBe(printed)
  })
})

describe('any mailbox', () => {
  const id = fc.constantFrom('', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')
  const message = fc.record({
    sentAt: fc.integer({ min: 0, max: 5 }),
    baseSubject: fc.constantFrom('', 'x', 'y'),
    replyOrForward: fc.boolean(),
    messageIdHeader: id,
    references: fc.array(
      id.filter((text) => text !== ''),
      { maxLength: 4 },
    ),
  })
  test.each([references, orderedSubject])('every message is in it once: $name', async (algorithm) => {
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 20 }), async (drawn) => {
        const roots = await threaded(algorithm, drawn)
        const all = await descendants(roots)
        const uids = all.flatMap((node) => (node.message ? [node.message.uid] : []))
        expect(uids.sort((a, b) => a - b)).toEqual(drawn.map((_, index) => index + 1))
        // A dummy is at the top and has children enough to be one.
        for (const node of all) {
          if (!node.message) expect([roots.includes(node), node.children.length > 1]).toEqual([true, true])
        }
      }),
      { seed: 3, numRuns: 500 },
    )
  })

  test('a thread as deep as the mailbox is large', async () => {
    const chain = Array.from({ length: 20_000 }, (_, index) => `m${index} <m${index - 1}`)
    const printed = await threads(references, ...chain)
    expect(printed.startsWith('(1 2 3 ')).toBe(true)
    expect(printed.endsWith(' 20000)')).toBe(true)
    expect(await threads(references, ...chain.toReversed())).toMatch(/^\(20000 19999 .* 2 1\)$/)
  })

  test('missing ones in a chain, each with a message of its own, took memory by the square of their number', async () => {
    const printed = await threads(references, ...Array.from({ length: 50_000 }, (_, i) => `m${i} <x${i} <x${i + 1}`))
    expect(printed.startsWith('((1)(2)(3)')).toBe(true)
    expect(printed.endsWith('(50000))')).toBe(true)
  })
})

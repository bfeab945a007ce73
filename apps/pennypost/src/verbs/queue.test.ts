import { expect, test } from 'vitest'
import { changeText, entryText, listText } from './queue.ts'

type Listed = Parameters<typeof listText>[0]

const counts = { waiting: 1, due: 0, leased: 0, held: 1, oldestAcceptedAt: 0 }
const entry = {
  id: 7,
  journey: '0123456789ABCDEF',
  acceptedAt: 0,
  size: 1000,
  attempts: 2,
  dueAt: 90_000,
  held: false,
  leasedUntil: null,
  destination: '127.0.0.1:2525',
  envelope: { reversePath: '' },
  recipients: [{ forwardPath: 'bob@far.test', lastReply: '451 later' }, { forwardPath: 'carl@far.test' }],
}
const list = (entries: object[], rest: object = {}): string =>
  listText({ entries, now: 30_000, more: false, counts, ...rest } as unknown as Listed)

test('the list did not say which next hop keeps mail, which --destination asks for', () => {
  expect(list([entry])).toBe(`\
QUEUE ID          ENTRY   AGE    SIZE  TRIES  NEXT      NEXT HOP        FROM  TO                       LAST REPLY
0123456789ABCDEF      7  30 s  1000 B      2  in 1 min  127.0.0.1:2525  <>    bob@far.test and 1 more  451 later
In all 2 entries: 0 due, 0 under way, 1 waiting, 1 held.
`)
})

test('an entry that was being tried was listed as one that is due', () => {
  const next = (changed: object) => list([{ ...entry, dueAt: 0, ...changed }])
  expect(next({ leasedUntil: 30_001 })).toContain('  2  under way  127.0.0.1:2525')
  expect(next({ leasedUntil: 30_001, held: true })).toContain('  2  under way, then held  127')
  expect(next({ leasedUntil: 30_000 })).toContain('  2  now   127.0.0.1:2525')
})

test('an entry did not show that it asks for REQUIRETLS', () => {
  const shown = (envelope: object) =>
    entryText({ ...entry, messageId: '', route: 'remote', envelope: { reversePath: '', ...envelope } } as never, 0)
  expect(shown({ requireTls: true, tlsOptional: true })).toContain('\n  asks for  REQUIRETLS\n  to ')
  expect(shown({ tlsOptional: true })).toContain('\n  asks for  TLS-Required: No\n  to ')
  expect(shown({})).not.toContain('asks for')
})

test('where more fits than is shown, it was said to be as much as there is in all', () => {
  expect(list([entry], { more: true })).toContain(`
More that fits waits: --limit shows more.
In all 2 entries: `)
})

test('nothing that fits was said to be nothing that waits', () => {
  const sum = 'In all 2 entries: 0 due, 0 under way, 1 waiting, 1 held.\n'
  expect(list([])).toBe(`Nothing that fits waits. ${sum}`)
  expect(list([], { counts: { ...counts, waiting: 0, held: 0 } })).toBe('Nothing waits.\n')
})

test('what is held was said to have changed in the meantime', () => {
  const words = { done: 'due now', untouched: 'held: `pennypost queue release` lets that go' }
  expect(changeText(words, { selected: 4, changed: 1, untouched: 2, missing: ['17'] })).toBe(`\
1 entry due now.
2 are held: \`pennypost queue release\` lets that go.
1 had changed in the meantime.
Nothing in the queue has the id 17.
`)
})

/**
 * Random verbs as values: what fast-check makes, shrinks and prints. They name accounts by index and mailboxes by name,
 * so that the same verb means the same thing in two engines with different ids.
 */
import fc from 'fast-check'
import type { FlagMode } from '../flags.ts'

export interface MailboxRef {
  account: 0 | 1
  name: string
}

export interface FilingVerb {
  account: 0 | 1
  mailbox: string
  flags: readonly string[]
}

export interface AcceptanceVerb {
  body: string
  filings: readonly FilingVerb[]
  destinations: readonly string[]
  fingerprint: string
  unlessFull: readonly (0 | 1)[]
}

/** An account that acts, and which flags it may set. */
export interface By {
  account: 0 | 1
  seen: boolean
  deleted: boolean
  others: boolean
}

/** UIDs as numbers, most of them few: what is there and what is gone. */
type Uids = readonly number[]

export type Verb =
  | { verb: 'accept'; acceptances: readonly AcceptanceVerb[] }
  | { verb: 'unconfirm'; journey: number }
  | { verb: 'append'; to: MailboxRef; letters: readonly { body: string; flags: readonly string[] }[] }
  | { verb: 'replace'; from: MailboxRef; uid: number; to: MailboxRef; body: string; flags: readonly string[] }
  | { verb: 'create'; mailbox: MailboxRef; specialUse: '\\All' | '\\Junk' | undefined }
  | { verb: 'rename'; mailbox: MailboxRef; to: string }
  | { verb: 'use'; mailbox: MailboxRef; specialUse: '\\All' | '\\Junk' | null }
  | { verb: 'delete'; mailbox: MailboxRef }
  | { verb: 'subscribe'; mailbox: MailboxRef; subscribed: boolean }
  | { verb: 'flags'; mailbox: MailboxRef; uids: Uids; mode: FlagMode; flags: readonly string[] }
  | {
      verb: 'flags as'
      mailbox: MailboxRef
      uids: Uids
      mode: FlagMode
      flags: readonly string[]
      by: By
    }
  | { verb: 'store unchanged'; cursor: number; uids: Uids; flags: readonly string[] }
  | { verb: 'copy' | 'move'; from: MailboxRef; uids: Uids; to: MailboxRef; by: By | undefined }
  | {
      verb: 'share'
      mailbox: MailboxRef
      grantee: 0 | 1 | 'anyone'
      negative: boolean
      mode: 'replace' | 'add' | 'remove'
      rights: string
    }
  | {
      verb: 'annotate'
      mailbox: MailboxRef | 'server'
      account: 0 | 1
      entries: readonly (readonly [string, string | null])[]
    }
  | { verb: 'expunge'; mailbox: MailboxRef; uids: Uids; only: 'deleted' | 'all' }
  | { verb: 'claim recent'; mailbox: MailboxRef }
  | { verb: 'search'; mailbox: MailboxRef; text: string; set: number; clear: number }
  | { verb: 'quota'; account: 0 | 1; quota: number }
  | { verb: 'claim' }
  | { verb: 'claim one'; entry: number }
  | {
      verb: 'settle'
      lease: number
      outcomes: readonly ('delivered' | 'deferred' | 'failed')[]
      dsn: boolean
      goesOn: boolean
    }
  | { verb: 'hold' | 'release' | 'retry' | 'redirect' | 'remove'; entry: number }
  | { verb: 'advance'; ms: number }

const index = fc.nat({ max: 30 })
const account = fc.constantFrom(0, 0, 0, 1) as fc.Arbitrary<0 | 1>
/** Mostly those that the prelude fills. */
const mailbox = fc.record({
  account,
  name: fc.constantFrom('INBOX', 'INBOX', 'INBOX', 'a', 'a', 'a/b', 'Sent', 'gone'),
})
const name = fc.constantFrom('INBOX', 'Sent', 'Junk', 'a', 'a/b', 'a/b/c', 'b', 'gone', 'inbox/x', 'no//name')
const named = fc.record({ account, name })
const by: fc.Arbitrary<By> = fc.record({
  account: fc.constantFrom(1, 1, 1, 0) as fc.Arbitrary<0 | 1>,
  seen: fc.boolean(),
  deleted: fc.boolean(),
  others: fc.boolean(),
})
const everyKeyword = Array.from({ length: 44 }, (_, place) => `k${place}`)
const flags = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.uniqueArray(fc.constantFrom('\\Seen', '\\Deleted', '\\Flagged', '$a', '$B', '$b'), { maxLength: 3 }),
  },
  { weight: 1, arbitrary: fc.constantFrom(everyKeyword, everyKeyword.slice(3), ['other'], ['k1', 'another']) },
)
const uids = fc.oneof(
  fc.constant(Array.from({ length: 50 }, (_, place) => place + 1)),
  fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 6 }),
)
const body = fc.constantFrom('', 'short\r\n', 'a needle in it\r\n', 'x'.repeat(5000))
const target = fc.constantFrom('INBOX', 'a', 'a/b', '\\Junk', '\\All', 'nowhere')
const destination = fc.constantFrom('x.test', 'y.test')

const acceptanceVerb = fc.record({
  body,
  filings: fc.array(fc.record({ account, mailbox: target, flags }), { maxLength: 3 }),
  destinations: fc.array(destination, { maxLength: 2 }),
  fingerprint: fc.constantFrom('', 'f'),
  unlessFull: fc.uniqueArray(account, { maxLength: 2 }),
})

const mailVerbs: fc.Arbitrary<Verb>[] = [
  fc.record({ verb: fc.constant('accept'), acceptances: fc.array(acceptanceVerb, { minLength: 1, maxLength: 2 }) }),
  fc.record({
    verb: fc.constant('append'),
    to: mailbox,
    letters: fc.array(fc.record({ body, flags }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    verb: fc.constant('replace'),
    from: mailbox,
    uid: fc.integer({ min: 1, max: 12 }),
    to: mailbox,
    ...{ body, flags },
  }),
  fc.record({
    verb: fc.constant('flags'),
    mailbox,
    uids,
    mode: fc.constantFrom('add', 'remove', 'replace'),
    flags,
  }),
  fc.record({ verb: fc.constant('store unchanged'), cursor: index, uids, flags }),
  fc.record({
    verb: fc.constant('flags as'),
    mailbox,
    uids,
    mode: fc.constantFrom('add', 'remove', 'replace'),
    flags,
    by,
  }),
  fc.record({
    verb: fc.constantFrom('copy', 'move'),
    from: mailbox,
    uids,
    to: mailbox,
    by: fc.option(by, { nil: undefined }),
  }),
  fc.record({ verb: fc.constant('expunge'), mailbox, uids, only: fc.constantFrom('deleted', 'all') }),
  fc.record({ verb: fc.constant('unconfirm'), journey: index }),
]

const otherVerbs: fc.Arbitrary<Verb>[] = [
  fc.record({
    verb: fc.constant('share'),
    mailbox,
    grantee: fc.constantFrom(1, 1, 0, 'anyone') as fc.Arbitrary<0 | 1 | 'anyone'>,
    negative: fc.boolean(),
    mode: fc.constantFrom('replace', 'add', 'remove'),
    rights: fc.constantFrom('', 'r', 'lr', 'lrs', 'lrswipkxtea'),
  }),
  fc.record({
    verb: fc.constant('annotate'),
    mailbox: fc.oneof(mailbox, fc.constant('server' as const)),
    account,
    entries: fc.array(
      fc.tuple(
        fc.constantFrom('/shared/a', '/shared/b', '/shared/c', '/private/a'),
        fc.constantFrom(null, '', 'value'),
      ),
      { maxLength: 3 },
    ),
  }),
  fc.record({
    verb: fc.constant('create'),
    mailbox: named,
    specialUse: fc.constantFrom(undefined, undefined, '\\All', '\\Junk'),
  }),
  fc.record({ verb: fc.constant('rename'), mailbox: named, to: name }),
  fc.record({ verb: fc.constant('use'), mailbox: named, specialUse: fc.constantFrom(null, '\\All', '\\Junk') }),
  fc.record({ verb: fc.constant('delete'), mailbox: named }),
  fc.record({ verb: fc.constant('subscribe'), mailbox: named, subscribed: fc.boolean() }),
  fc.record({ verb: fc.constant('claim recent'), mailbox }),
  fc.record({
    verb: fc.constant('search'),
    mailbox,
    text: fc.constantFrom('needle', 'hello', 'x', ''),
    set: fc.constantFrom(0, 4, 8),
    clear: fc.constantFrom(0, 2, 8),
  }),
  fc.record({ verb: fc.constant('quota'), account, quota: fc.constantFrom(0, 300, 10_000) }),
  fc.record({ verb: fc.constantFrom('hold', 'release', 'retry', 'redirect', 'remove'), entry: index }),
  fc.record({ verb: fc.constant('advance'), ms: fc.constantFrom(1000, 60_000, 4_000_000) }),
]

const queueVerbs: fc.Arbitrary<Verb>[] = [
  fc.constant({ verb: 'claim' }),
  fc.record({ verb: fc.constant('claim one'), entry: index }),
  fc.record({
    verb: fc.constant('settle'),
    lease: index,
    outcomes: fc.array(fc.constantFrom('delivered', 'deferred', 'failed'), { maxLength: 2 }),
    dsn: fc.boolean(),
    goesOn: fc.boolean(),
  }),
]

const firstFlags = [[], ['\\Deleted'], ['\\Seen', '$a'], ['\\Deleted', '$B'], []]

/** What every play begins with, so that there is something to change. */
export const prelude: readonly Verb[] = [
  { verb: 'create', mailbox: { account: 0, name: 'a' }, specialUse: undefined },
  { verb: 'create', mailbox: { account: 0, name: 'a/b' }, specialUse: undefined },
  ...['INBOX', 'a'].map((filled): Verb => {
    const letters = firstFlags.map((flags) => ({ body: 'first\r\n', flags }))
    return { verb: 'append', to: { account: 0, name: filled }, letters }
  }),
  {
    verb: 'share',
    mailbox: { account: 0, name: 'INBOX' },
    grantee: 1,
    negative: false,
    mode: 'replace',
    rights: 'lr',
  },
  {
    verb: 'flags as',
    mailbox: { account: 0, name: 'INBOX' },
    uids: [1, 2, 3],
    mode: 'add',
    flags: ['\\Seen'],
    by: { account: 1, seen: true, deleted: true, others: true },
  },
  {
    verb: 'accept',
    acceptances: [
      {
        body: 'a needle in it\r\n',
        filings: ([0, 1] as const).map((owner) => ({ account: owner, mailbox: 'INBOX', flags: [] })),
        destinations: ['x.test', 'y.test'],
        fingerprint: 'f',
        unlessFull: [],
      },
    ],
  },
]

const anyVerb = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(...mailVerbs) },
  { weight: 2, arbitrary: fc.oneof(...queueVerbs) },
  { weight: 2, arbitrary: fc.oneof(...otherVerbs) },
)

export const verbs: fc.Arbitrary<Verb[]> = fc.array(anyVerb, { maxLength: 40, size: 'max' })

import { type FlowFact, journeyId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { journeyLines } from './journey-lines.ts'

const journey = journeyId('0123456789ABCDEF')
const at = Date.UTC(2026, 0, 2, 3, 4, 5)
const lines = (facts: readonly FlowFact[], transcripts = false) =>
  journeyLines(
    facts.map((fact) => ({ journey, at, ...fact })),
    { transcripts },
  )

test('a journey reads from the first hop to the last', () => {
  const facts: FlowFact[] = [
    {
      kind: 'received',
      service: 'submission',
      session: '1',
      peer: '127.0.0.1',
      helo: 'laptop',
      tls: 'TLSv1.3',
      account: 'alice@one.test',
      reversePath: 'alice@one.test',
      forwardPaths: ['bob@two.test'],
      size: 2048,
      messageId: 'x@one.test',
    },
    { kind: 'filed', login: 'bob@one.test', mailbox: 'INBOX', uid: 7, forwardPaths: ['bob@one.test'] },
    {
      kind: 'attempt',
      entry: 1,
      destination: 'two.test',
      host: 'mx.two.test',
      address: '192.0.2.9',
      dns: ['two.test MX 10 mx.two.test'],
      tls: 'TLSv1.3',
      tlsReason: 'opportunistic',
      elapsedMs: 1200,
      transcript: ['S: 220 hi\x1b[2J', 'C: EHLO mail.one.test'],
    },
    { kind: 'delivered', forwardPath: 'bob@two.test', host: 'mx.two.test', reply: '250 2.0.0 Ok' },
  ]
  expect(
    lines(facts),
  ).toBe(`2026-01-02 03:04:05Z  received by submission from 127.0.0.1 (laptop), TLSv1.3, as alice@one.test
                      from <alice@one.test> to <bob@two.test>
                      2.0 KB, Message-ID <x@one.test>
2026-01-02 03:04:05Z  filed for bob@one.test in INBOX, UID 7
2026-01-02 03:04:05Z  tried mx.two.test [192.0.2.9] for two.test, TLSv1.3 (opportunistic), 1 s
                      DNS: two.test MX 10 mx.two.test
2026-01-02 03:04:05Z  delivered <bob@two.test> to mx.two.test: 250 2.0.0 Ok
`)
  expect(lines(facts, true)).toContain('  C: EHLO mail.one.test\n')
  expect(lines(facts, true)).not.toContain('\x1b')
})

test('an attempt that failed before TLS was decided, or for want of it, was said to be in clear', () => {
  const tried = { kind: 'attempt', entry: 1, destination: 'two.test', host: 'mx', address: '192.0.2.9' } as const
  const line = (fact: object): string =>
    lines([{ ...tried, elapsedMs: 0, ...fact }])
      .split('\n')[0]!
      .slice(22)
  expect(line({ error: 'ECONNREFUSED' })).toBe('tried mx [192.0.2.9] for two.test, 0 s')
  expect(line({ error: 'STARTTLS is not offered', tlsReason: 'MTA-STS enforce' })).toBe(
    'tried mx [192.0.2.9] for two.test (MTA-STS enforce), 0 s',
  )
  expect(line({ tlsReason: 'not offered' })).toBe('tried mx [192.0.2.9] for two.test, in clear (not offered), 0 s')
})

test('what came from this machine itself, bounces too, was said to have come in clear', () => {
  const fact = {
    kind: 'received',
    service: 'dsn',
    session: '',
    peer: '',
    reversePath: '',
    forwardPaths: [],
    size: 5,
  } as const
  const line = (more: object): string =>
    lines([{ ...fact, ...more }])
      .split('\n')[0]!
      .slice(22)
  expect(line({})).toBe('received by dsn from this machine')
  expect(line({ service: 'smtp', peer: '192.0.2.9' })).toBe('received by smtp from 192.0.2.9, in clear')
})

test('every kind of event has its line', () => {
  const facts: FlowFact[] = [
    {
      kind: 'received',
      service: 'submission',
      session: '1',
      peer: '',
      reversePath: '',
      forwardPaths: ['b@two.test'],
      size: 5,
    },
    {
      kind: 'attempt',
      entry: 3,
      destination: 'two.test',
      host: 'two.test',
      address: '',
      elapsedMs: 10,
      error: 'no MX',
    },
    { kind: 'finding', check: 'spf', result: 'pass', detail: 'mx' },
    { kind: 'verdict', verdict: 'accept', reason: 'known-good' },
    { kind: 'refused', reply: '550 5.1.1 no' },
    { kind: 'expanded', forwardPath: 's@one.test', by: 'alias', targets: ['a@one.test'] },
    {
      kind: 'verified',
      forwardPath: 'b@two.test',
      destination: 'in.two.test:25',
      answer: 'known',
      reply: '250 2.1.5 Ok',
      askedAt: at,
    },
    { kind: 'queued', entry: 3, destination: 'two.test', forwardPaths: ['b@two.test'] },
    { kind: 'deferred', forwardPath: 'b@two.test', reply: '451 later', nextAttemptAt: at },
    { kind: 'held', forwardPath: 'b@two.test', rule: 'to @two.test' },
    { kind: 'interrupted', entry: 1 },
    { kind: 'failed', forwardPath: 'b@two.test', login: 'c@two.test', reply: '550 no' },
    { kind: 'dsn', action: 'failed', to: '', dsn: '' },
    {
      kind: 'returned',
      forwardPath: 'bob@two.test',
      by: 'mx.two.test',
      action: 'failed',
      status: '5.1.1',
      diagnostic: '550 who?',
      dsn: 'Y',
    },
    { kind: 'about', about: 'X' },
    { kind: 'operator', verb: 'hold', entry: 3 },
    { kind: 'unconfirmed' },
    { kind: 'repeated', session: '9' },
    { kind: 'read', by: 'bob@one.test', protocol: 'imap', session: '4' },
  ]
  const text = lines(facts)
  for (const part of [
    'spf: pass (mx)',
    'accept, known-good',
    'alias to a@one.test',
    'next attempt',
    'held <b@two.test> by the rule "to @two.test", until it is released',
    'to nobody',
    'by submission from this machine\n',
    'looked for two.test, 0 s',
    '<b@two.test> asked of in.two.test:25: known, 250 2.1.5 Ok',
    '"hold"',
  ]) {
    expect(text).toContain(part)
  }
  expect(text.split('\n')).toHaveLength(facts.length + 7)
})

/** What reports of TLS say, and where they are wanted. */
import { describe, expect, test } from 'vitest'
import { reportAddresses, reportJson } from './tls-report.ts'
import type { CountedSession } from './tls-sessions.ts'

test('a report on TLSA records did not say which they were, nor of which host', () => {
  const facts = { domain: 'two.test', day: '2026-01-01', hostname: 'mail.one.test', contact: 'a@one.test', id: '1' }
  const session = { domain: 'two.test', by: 'tlsa', address: '', reason: '', count: 1 } as const
  const failed = { ...session, result: 'validation-failure' } as const
  const sessions: CountedSession[] = [
    { ...failed, host: 'mx.two.test', policy: ['3 1 1 11', '3 1 2 22'] },
    { ...session, result: 'success', host: 'mx.two.test', policy: ['3 1 1 11', '3 1 2 22'] },
    { ...failed, host: 'old.two.test', policy: ['3 1 1 11'] },
    { ...session, result: 'dnssec-invalid', host: 'new.two.test' },
  ]
  const { policies } = JSON.parse(reportJson({ ...facts, sessions }))
  const policy = { 'policy-type': 'tlsa', 'policy-domain': 'two.test' }
  const summary = { 'total-failure-session-count': 1 }
  expect(policies).toMatchObject([
    {
      policy: { ...policy, 'policy-string': ['3 1 1 11', '3 1 2 22'], 'mx-host': ['mx.two.test'] },
      summary: { ...summary, 'total-successful-session-count': 1 },
    },
    { policy: { ...policy, 'policy-string': ['3 1 1 11'], 'mx-host': ['old.two.test'] }, summary },
    { policy: { ...policy, 'policy-string': [], 'mx-host': ['new.two.test'] }, summary },
  ])
})

describe('the record', () => {
  test.each([
    [['v=TLSRPTv1; rua=mailto:a@b.test, https://b.test/x'], ['mailto:a@b.test', 'https://b.test/x']],
    [['v=TLSRPTv1;rua=mailto:a@b.test'], ['mailto:a@b.test']],
    [['v=TLSRPTv1 ; rua=mailto:a@b.test; x=y; rua=mailto:c@b.test;'], ['mailto:a@b.test', 'mailto:c@b.test']],
    [['v=TLSRPTv1; rua=http://b.test, mailto:nobody'], []],
    [['v=TLSRPTv1; rua=mailto:a@b.test', 'v=TLSRPTv1; rua=mailto:c@b.test'], []],
    [['v=spf1 -all'], []],
  ])('%j', (records, addresses) => {
    expect(reportAddresses(records)).toEqual(addresses)
  })
})

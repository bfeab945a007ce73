/** What a report tells of one message. */
import { expect, test } from 'vitest'
import type { DkimFinding, DmarcFinding, Finding, SpfFinding } from '../findings/finding.ts'
import { defaultPolicy } from '../judge.ts'
import { aggregateRow } from './aggregate-row.ts'

const spf: SpfFinding = { check: 'spf', identity: 'mailfrom', detail: '', domain: 'mail.one.test', result: 'pass' }
const signature = { domain: 'one.test', selector: 's', algorithm: 'rsa-sha256', start: 'x', detail: '' }
const dkim: DkimFinding = {
  check: 'dkim',
  result: 'pass',
  detail: '',
  signatures: [{ ...signature, result: 'pass' }],
}
const dmarc: DmarcFinding = {
  check: 'dmarc',
  result: 'pass',
  detail: '',
  authorDomain: 'one.test',
  policyDomain: 'one.test',
  policy: 'reject',
  alignment: { spf: 'yes', dkim: ['yes'] },
}
const failed: Finding[] = [
  { ...spf, domain: 'evil.test' },
  { ...dkim, result: 'none', signatures: [] },
  { ...dmarc, result: 'fail', alignment: { spf: 'no', dkim: [] } },
]

const row = (findings: readonly Finding[], policy = defaultPolicy) => aggregateRow(findings, policy, '192.0.2.1')

test('mail that passed', () => {
  expect(row([spf, dkim, dmarc])).toEqual({
    domain: 'one.test',
    sourceAddress: '192.0.2.1',
    disposition: 'pass',
    isOverridden: false,
    dkim: 'pass',
    spf: 'pass',
    headerFrom: 'one.test',
    envelopeFrom: 'mail.one.test',
    signatures: [{ domain: 'one.test', selector: 's', result: 'pass' }],
    sender: { domain: 'mail.one.test', result: 'pass' },
  })
})

test('forged mail: what the domain asks for, and what was done', () => {
  expect(row(failed)).toMatchObject({ disposition: 'reject', isOverridden: false, dkim: 'fail', spf: 'fail' })
  expect(row(failed, { ...defaultPolicy, dmarc: 'quarantine' })).toMatchObject({
    disposition: 'quarantine',
    isOverridden: true,
  })
  expect(row(failed, { ...defaultPolicy, dmarc: 'accept' })).toMatchObject({ disposition: 'none', isOverridden: true })
})

test('a domain that asks for nothing has nothing overridden', () => {
  const asks = (finding: Finding): Finding => (finding.check === 'dmarc' ? { ...finding, policy: 'none' } : finding)
  expect(row(failed.map(asks))).toMatchObject({ disposition: 'none', isOverridden: false })
  expect(row([spf, dkim, dmarc].map(asks))).toMatchObject({ disposition: 'none', isOverridden: false })
})

test('what other filters think of it is not told', () => {
  const virus: Finding = { check: 'virus', result: 'infected', filter: 'clamav', signature: 'x', detail: '' }
  expect(row([spf, dkim, dmarc, virus])).toEqual(row([spf, dkim, dmarc]))
})

test('the null reverse-path has no domain, and what SPF was asked for is told', () => {
  const helo: SpfFinding = { ...spf, identity: 'helo', domain: 'mx.one.test', result: 'unavailable' }
  expect(row([helo, dkim, dmarc])).toMatchObject({
    envelopeFrom: '',
    sender: { domain: 'mx.one.test', result: 'temperror' },
  })
  expect(row([{ ...helo, domain: '' }, dkim, dmarc])).not.toHaveProperty('sender')
})

test('signatures that tell most come first', () => {
  const signatures = [
    { ...signature, domain: 'a.test', result: 'fail' as const },
    { ...signature, domain: 'b.test', result: 'pass' as const },
    { ...signature, domain: 'mail.one.test', result: 'pass' as const },
    { ...signature, domain: 'one.test', result: 'pass' as const },
  ]
  const alignment = { spf: 'no' as const, dkim: ['no', 'no', 'yes', 'yes'] as const }
  const found = row([spf, { ...dkim, signatures }, { ...dmarc, alignment }])
  expect(found?.signatures.map(({ domain }) => domain)).toEqual(['one.test', 'mail.one.test', 'b.test', 'a.test'])
})

test('without a policy there is nobody to tell', () => {
  expect(row([spf, dkim, { ...dmarc, policyDomain: '' }])).toBeUndefined()
  expect(row([spf])).toBeUndefined()
})

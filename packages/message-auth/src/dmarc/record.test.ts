import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseDmarcRecord } from './record.ts'

test('a full record', () => {
  expect(
    parseDmarcRecord('v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=r; t=y; psd=n; rua=mailto:a@b.test'),
  ).toEqual({
    policy: 'reject',
    subdomainPolicy: 'quarantine',
    nonExistentPolicy: 'none',
    alignment: { dkim: 'strict', spf: 'relaxed' },
    isTest: true,
    publicSuffix: 'no',
    reportUris: ['mailto:a@b.test'],
    applies: true,
  })
})

test('np falls back to sp, sp to p', () => {
  const policies = (text: string) => {
    const { policy, subdomainPolicy, nonExistentPolicy } = parseDmarcRecord(text)!
    return [policy, subdomainPolicy, nonExistentPolicy]
  }
  expect(policies('v=DMARC1;p=reject')).toEqual(['reject', 'reject', 'reject'])
  expect(policies('v=DMARC1;p=none;sp=reject')).toEqual(['none', 'reject', 'reject'])
  expect(policies('v=DMARC1;p=none;np=reject')).toEqual(['none', 'none', 'reject'])
})

test('a policy with a fault leaves the wish for reports, or nothing', () => {
  expect(parseDmarcRecord('v=DMARC1; p=block; rua=mailto:a@b.test')).toMatchObject({ policy: 'none', applies: true })
  expect(parseDmarcRecord('v=DMARC1; p=reject; sp=maybe; rua=mailto:a@b.test')).toMatchObject({ policy: 'none' })
  expect(parseDmarcRecord('v=DMARC1; rua=a@b.test')).toMatchObject({ applies: false })
  expect(parseDmarcRecord('v=DMARC1')).toMatchObject({ applies: false })
})

test.each([
  'v=dmarc1; p=none',
  'p=none; v=DMARC1',
  'v=DMARC12; p=none',
  'v=spf1 -all',
  '',
  'v=DMARC1; p=none; p=reject',
])('%j is no record', (text) => expect(parseDmarcRecord(text)).toBeUndefined())

test('white space and unknown tags are no matter', () => {
  expect(parseDmarcRecord('V = DMARC1 ;p = REJECT; x=y; junk; pct=0')).toMatchObject({ policy: 'reject' })
})

test('any text is read or refused', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `v=DMARC1;${rest}`),
  )
  fc.assert(
    fc.property(text, (text) => void parseDmarcRecord(text)),
    { numRuns: 500, seed: 9989 },
  )
})

test('a tag of white space that fills a DNS answer was tried in every way to cut it', () => {
  const spaces = '\t'.repeat(20_000)
  const record = parseDmarcRecord(`v=DMARC1; p=reject; a=${spaces}=${spaces}\n-; b=${spaces}\n${spaces}c`)
  expect(record).toMatchObject({ policy: 'reject' })
})

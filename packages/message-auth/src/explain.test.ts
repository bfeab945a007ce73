import { expect, test } from 'vitest'
import { parseFact, withFact } from './explain.ts'
import type { DkimFinding, DmarcFinding, Finding, SpfFinding } from './findings/finding.ts'
import { judge } from './judge.ts'

const spf: SpfFinding = { check: 'spf', result: 'fail', detail: '', identity: 'mailfrom', domain: 'one.test' }
const unsigned: DkimFinding = { check: 'dkim', result: 'none', detail: '', signatures: [] }
const signature = { domain: 'one.test', selector: 's', algorithm: 'rsa-sha256', start: 'abc', detail: '' }
const broken: DkimFinding = { ...unsigned, result: 'fail', signatures: [{ ...signature, result: 'fail' }] }
const dmarc: DmarcFinding = {
  check: 'dmarc',
  result: 'fail',
  detail: '',
  authorDomain: 'one.test',
  policyDomain: 'one.test',
  policy: 'reject',
  alignment: { spf: 'yes', dkim: [] },
}

const what = (findings: Finding[], ...facts: string[]): string => {
  let all = findings
  for (const text of facts) {
    const fact = parseFact(text)
    if (typeof fact === 'string') throw new Error(fact)
    all = withFact(all, fact)
  }
  const { action, reason } = judge(all)
  return `${action} ${reason}`
}

test('DMARC follows from what is supposed of SPF and DKIM', () => {
  const alignment = { spf: 'yes', dkim: ['yes'] } as const
  expect(what([spf, broken, { ...dmarc, alignment }])).toBe('reject dmarc-reject')
  expect(what([spf, broken, { ...dmarc, alignment }], 'dkim=pass')).toBe('accept clean')
  expect(what([spf, broken, { ...dmarc, alignment }], 'spf=pass')).toBe('accept clean')
  expect(what([spf, broken, { ...dmarc, alignment }], 'spf=pass', 'spf=fail')).toBe('reject dmarc-reject')
})

test('a pass of what is not aligned helps nobody', () => {
  const foreign = { ...broken, signatures: [{ ...signature, domain: 'list.test', result: 'fail' as const }] }
  const alignment = { spf: 'no', dkim: ['no'] } as const
  expect(what([spf, foreign, { ...dmarc, alignment }], 'dkim=pass', 'spf=pass')).toBe('reject dmarc-reject')
})

test('an unsigned message is supposed to have a signature of its author', () => {
  expect(what([spf, unsigned, dmarc])).toBe('reject dmarc-reject')
  expect(what([spf, unsigned, dmarc], 'dkim=pass')).toBe('accept clean')
})

test('where no record applies DKIM changes nothing', () => {
  const none: DmarcFinding = { ...dmarc, result: 'none', policyDomain: '', policy: 'none' }
  expect(withFact([spf, unsigned, none], { name: 'dkim', result: 'pass' })[2]).toMatchObject({ result: 'none' })
})

test('the policy of the domain, and checks that were not made', () => {
  expect(what([spf, unsigned, dmarc], 'dmarc-policy=quarantine')).toBe('quarantine dmarc-quarantine')
  expect(what([spf, unsigned, dmarc], 'dmarc-policy=none')).toBe('accept clean')
  expect(what([], 'dnsbl=listed')).toBe('reject dnsbl')
  expect(what([], 'dnsbl=listed', 'dnswl=listed')).toBe('accept clean')
  expect(what([], 'virus=infected')).toBe('reject virus')
  expect(what([], 'greylist=wait')).toBe('defer greylist')
})

test.each([
  ['dkim', /is no fact/],
  ['dkim=maybe', /^dkim can be none, pass/],
  ['weather=fine', /is no fact/],
  ['constructor=pass', /is no fact/],
])('%s is no fact', (text, why) => expect(parseFact(text)).toMatch(why))

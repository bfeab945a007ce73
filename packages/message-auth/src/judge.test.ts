import { expect, test } from 'vitest'
import type { DmarcFinding, DnsListFinding, Finding, ReverseDnsFinding, SpfFinding } from './findings/finding.ts'
import { aboutContent, defaultPolicy, judge, type Policy } from './judge.ts'

const listed = (check: 'dnsbl' | 'dnswl', result: DnsListFinding['result'] = 'listed'): Finding => ({
  check,
  result,
  detail: 'in list.test as 127.0.0.2',
  zone: 'list.test',
  address: '192.0.2.1',
  codes: ['127.0.0.2'],
})
const reverse = (result: ReverseDnsFinding['result']): Finding => ({
  check: 'reverse-dns',
  result,
  detail: '',
  address: '192.0.2.1',
  name: '',
})
const spf = (result: SpfFinding['result']): Finding => ({
  check: 'spf',
  result,
  detail: '',
  identity: 'mailfrom',
  domain: 'one.test',
})
const dmarc = (result: DmarcFinding['result'], policy: DmarcFinding['policy'] = 'none'): Finding => ({
  check: 'dmarc',
  result,
  detail: '',
  authorDomain: 'one.test',
  policyDomain: 'one.test',
  policy,
  alignment: { spf: 'no', dkim: [] },
})

const verdict = (findings: Finding[], policy: Partial<Policy> = {}): string => {
  const { action, reason, reply } = judge(findings, { ...defaultPolicy, ...policy })
  return [action, reason, ...(reply ? [reply.code, reply.enhanced] : [])].join(' ')
}

test('nothing found, nothing against it', () => expect(verdict([])).toBe('accept clean'))

test('dnsbl', () => {
  expect(verdict([listed('dnsbl')])).toBe('reject dnsbl 550 5.7.1')
  expect(verdict([listed('dnsbl')], { dnsbl: 'quarantine' })).toBe('quarantine dnsbl')
  expect(verdict([listed('dnsbl')], { dnsbl: 'accept' })).toBe('accept clean')
  expect(verdict([listed('dnsbl'), listed('dnswl')])).toBe('accept clean')
  expect(verdict([listed('dnsbl'), listed('dnswl', 'not-listed')])).toBe('reject dnsbl 550 5.7.1')
})

test('reverse-dns', () => {
  expect(verdict([reverse('fail')])).toBe('accept clean')
  expect(verdict([reverse('fail')], { reverseDns: 'quarantine' })).toBe('quarantine reverse-dns')
  expect(verdict([reverse('permerror')], { reverseDns: 'reject' })).toBe('reject reverse-dns 550 5.7.25')
  expect(verdict([reverse('pass')], { reverseDns: 'reject' })).toBe('accept clean')
})

test('author', () => {
  expect(verdict([dmarc('permerror')])).toBe('quarantine author')
  expect(verdict([dmarc('permerror')], { author: 'reject' })).toBe('reject author 550 5.7.1')
})

test('dmarc-reject', () => {
  expect(verdict([dmarc('fail', 'reject')])).toBe('reject dmarc-reject 550 5.7.26')
  expect(verdict([dmarc('fail', 'reject')], { dmarc: 'quarantine' })).toBe('quarantine dmarc-reject')
  expect(verdict([dmarc('fail', 'reject')], { dmarc: 'accept' })).toBe('accept clean')
  expect(verdict([dmarc('pass', 'reject')])).toBe('accept clean')
})

test('dmarc-quarantine', () => {
  expect(verdict([dmarc('fail', 'quarantine')])).toBe('quarantine dmarc-quarantine')
  expect(verdict([dmarc('fail', 'quarantine')], { dmarc: 'accept' })).toBe('accept clean')
  expect(verdict([dmarc('fail', 'none')])).toBe('accept clean')
})

test('dmarc-unsettled', () => {
  expect(verdict([dmarc('temperror', 'reject')])).toBe('accept clean')
  expect(verdict([dmarc('temperror')], { dmarcUnsettled: 'defer' })).toBe('defer dmarc-unsettled 451 4.7.26')
  expect(verdict([dmarc('unavailable')], { dmarcUnsettled: 'defer' })).toBe('defer dmarc-unsettled 451 4.7.26')
})

test('spf', () => {
  expect(verdict([spf('fail')])).toBe('accept clean')
  expect(verdict([spf('fail')], { spf: 'quarantine' })).toBe('quarantine spf')
  expect(verdict([spf('fail'), dmarc('pass')], { spf: 'quarantine' })).toBe('accept clean')
  expect(verdict([spf('softfail')], { spf: 'quarantine' })).toBe('accept clean')
})

test('helo', () => {
  const helo = { check: 'helo', detail: '', helo: 'mx.two.test' } as const
  expect(verdict([{ ...helo, result: 'fail' }])).toBe('reject helo 550 5.7.1')
  expect(verdict([{ ...helo, result: 'fail' }], { helo: 'accept' })).toBe('accept clean')
  expect(verdict([{ ...helo, result: 'neutral' }])).toBe('accept clean')
})

test('rate and greylist', () => {
  const rate = { check: 'rate', detail: '', of: 'sender', retryAfterSeconds: 60 } as const
  expect(verdict([{ ...rate, result: 'exceeded' }])).toBe('defer rate 450 4.7.1')
  expect(verdict([{ ...rate, result: 'within' }])).toBe('accept clean')
  const greylist = { check: 'greylist', detail: '', retryAfterSeconds: 60 } as const
  expect(verdict([{ ...greylist, result: 'wait' }])).toBe('defer greylist 451 4.7.1')
  const soon = judge([{ ...greylist, result: 'wait', retryAfterSeconds: 1 }], defaultPolicy)
  expect(JSON.stringify(soon)).toContain('try again in 1 second"')
  expect(verdict([{ ...greylist, result: 'unavailable' }])).toBe('accept clean')
})

test('virus, spam and hook', () => {
  const virus: Finding = { check: 'virus', result: 'infected', detail: '', filter: 'clamav', signature: 'Eicar' }
  expect(verdict([virus])).toBe('reject virus 550 5.7.1')
  expect(verdict([virus], { virus: 'quarantine' })).toBe('quarantine virus')
  expect(verdict([{ ...virus, result: 'unavailable' }])).toBe('accept clean')
  expect(verdict([{ ...virus, result: 'unavailable' }], { filterUnavailable: 'defer' })).toBe(
    'defer filter-unavailable 451 4.3.0',
  )
  const filter = { detail: '', filter: 'f', text: '' }
  const spam = (result: 'quarantine' | 'reject'): Finding => ({ ...filter, check: 'spam', result })
  expect(verdict([spam('reject')])).toBe('reject spam 550 5.7.1')
  expect(verdict([spam('quarantine'), spam('reject')])).toBe('reject spam 550 5.7.1')
  expect(verdict([spam('reject')], { spam: 'quarantine' })).toBe('quarantine spam')
  expect(verdict([spam('reject')], { spam: 'accept' })).toBe('accept clean')
  expect(verdict([{ ...filter, check: 'hook', result: 'defer' }])).toBe('defer hook 451 4.7.1')
  expect(verdict([{ ...filter, check: 'hook', result: 'accept' }])).toBe('accept clean')
})

test('a row that only quarantines hides no row below it that rejects', () => {
  const spam: Finding = { check: 'spam', result: 'reject', detail: '', filter: 'f', text: 'no' }
  expect(verdict([dmarc('permerror'), spam])).toBe('reject spam 550 5.7.1')
})

const strictest: Policy = {
  ...defaultPolicy,
  dnsbl: 'reject',
  reverseDns: 'reject',
  dmarc: 'enforce',
  dmarcUnsettled: 'accept',
  author: 'reject',
  spf: 'quarantine',
}

test('nothing temporary and nothing unavailable counts, however strict the policy', () => {
  const open: Finding[] = (['temperror', 'unavailable'] as const).flatMap((result) => [
    reverse(result),
    spf(result),
    dmarc(result, 'reject'),
  ])
  expect(verdict([...open, listed('dnsbl', 'unavailable')], strictest)).toBe('accept clean')
})

test('the weight of ARC is zero', () => {
  const arc: Finding = { check: 'arc', result: 'pass', detail: '', sealer: 'list.test', instance: 1 }
  for (const result of ['pass', 'fail', 'none', 'unavailable'] as const) {
    expect(verdict([{ ...arc, result }], strictest)).toBe('accept clean')
    expect(verdict([{ ...arc, result }, dmarc('fail', 'reject')])).toBe('reject dmarc-reject 550 5.7.26')
  }
})

test('of equally strict rows the upper one decides', () => {
  expect(verdict([dmarc('fail', 'reject'), spf('fail'), listed('dnsbl')], strictest)).toBe('reject dnsbl 550 5.7.1')
})

test('the reply names what it is about', () => {
  expect(judge([dmarc('fail', 'reject')]).reply?.lines[0]).toContain('one.test')
  expect(judge([listed('dnsbl')]).reply?.lines[0]).toBe('192.0.2.1 is listed by list.test')
})

test('for mail to postmaster what is known of the client does not count', () => {
  expect(judge(aboutContent([listed('dnsbl')])).action).toBe('accept')
})

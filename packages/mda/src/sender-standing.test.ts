import type { FlowFact } from '@pennypost/model'
import { expect, test } from 'vitest'
import { type SenderStanding, senderStanding } from './sender-standing.ts'

const finding = (check: string, result: string, facts = {}): FlowFact => ({ kind: 'finding', check, result, facts })
const spf = (result: string): FlowFact => finding('spf', result)
const dmarc = (result: string, authorDomain?: string): FlowFact => finding('dmarc', result, { authorDomain })

test.each<[string, FlowFact[], SenderStanding]>([
  ['without any check of who it is from', [finding('dkim', 'pass'), finding('rate', 'within')], 'unchecked'],
  ['by SPF', [spf('pass'), dmarc('fail', 'two.test')], 'known'],
  ['by DMARC for its domain', [spf('fail'), dmarc('pass', 'two.test')], 'known'],
  ['by DMARC for a domain above it', [spf('none'), dmarc('pass', 'test')], 'known'],
  ['by DMARC for a domain below it', [dmarc('pass', 'news.two.test')], 'known'],
  ['by DMARC for another domain', [spf('fail'), dmarc('pass', 'one.test')], 'forged'],
  ['by DMARC for a domain whose name ends alike', [spf('none'), dmarc('pass', 'wo.test')], 'unknown'],
  ['by DMARC for a domain that ends alike', [spf('none'), dmarc('pass', 'xtwo.test')], 'unknown'],
  ['by DMARC that names no domain', [dmarc('pass'), dmarc('pass', '')], 'unknown'],
  ['by DMARC that fails', [spf('softfail'), dmarc('fail', 'two.test')], 'unknown'],
  ['against SPF', [spf('fail')], 'forged'],
])('a sender %s', (_, facts, standing) => {
  expect(senderStanding(facts, 'bob@two.test')).toBe(standing)
})

test('the null reverse-path is known by SPF alone', () => {
  expect(senderStanding([spf('none'), dmarc('pass', 'two.test')], '')).toBe('unknown')
})

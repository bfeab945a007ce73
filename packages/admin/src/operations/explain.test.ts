import type { Finding } from '@pennypost/message-auth'
import { createJourneyId, type FlowFact } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

const id = createJourneyId(Date.UTC(2026, 4, 1), seededRandom(1))
const fact = ({ check, result, detail, ...facts }: Finding): FlowFact => ({
  kind: 'finding',
  check,
  result,
  detail,
  facts,
})
const findings: Finding[] = [
  { check: 'spf', result: 'none', detail: '', identity: 'mailfrom', domain: 'two.test' },
  { check: 'dkim', result: 'none', detail: 'not signed', signatures: [] },
  {
    check: 'dmarc',
    result: 'fail',
    detail: 'no aligned identifier passed',
    authorDomain: 'bank.test',
    policyDomain: 'bank.test',
    policy: 'reject',
    alignment: { spf: 'no', dkim: [] },
  },
]

async function record(admin: TestAdministration, facts: FlowFact[]): Promise<void> {
  await admin.context.store.flow.record(facts.map((each) => ({ journey: id, at: admin.clock.now(), ...each })))
}

test('a journey is judged again, as it is and with one fact changed', async () => {
  using admin = new TestAdministration()
  await record(admin, [...findings.map(fact), { kind: 'verdict', verdict: 'reject', reason: 'dmarc-reject' }])
  const asIs = await admin.call('explain', { id })
  expect(asIs.explained).toMatchObject([
    { recorded: { verdict: 'reject', reason: 'dmarc-reject' }, verdict: { action: 'reject', reply: { code: 550 } } },
  ])
  expect(asIs.explained[0]?.findings).toEqual(findings)
  const supposed = await admin.call('explain', { id, facts: ['dkim=pass'] })
  expect(supposed.explained[0]?.verdict).toMatchObject({ action: 'accept', reason: 'clean' })
})

test('the last judgement counts, with what was found for it alone', async () => {
  using admin = new TestAdministration()
  const listed: Finding = { check: 'dnsbl', result: 'listed', detail: '', zone: 'bl.test', address: '', codes: [] }
  await record(admin, [
    ...[fact(listed), { kind: 'verdict', verdict: 'reject', reason: 'dnsbl' } as const],
    ...[fact(listed), { kind: 'finding', check: 'recipients', result: 'roles' } as const],
    { kind: 'verdict', verdict: 'accept', reason: 'clean' },
  ])
  const { explained } = await admin.call('explain', { id })
  expect(explained).toMatchObject([{ isForRoles: true, verdict: { action: 'accept' } }])
  expect(explained[0]?.findings).toEqual([listed])
})

test('what was not checked, and what is no fact, is said so', async () => {
  using admin = new TestAdministration()
  await expect(admin.call('explain', { id })).rejects.toMatchObject({ reason: 'not-found' })
  await record(admin, [{ kind: 'finding', check: 'header', result: 'undeclared-utf8' }])
  await expect(admin.call('explain', { id })).rejects.toThrow(/Nothing was checked/)
  await expect(admin.call('explain', { id, facts: ['dkim=maybe'] })).rejects.toMatchObject({ reason: 'bad-input' })
})

import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

test('recipients are suppressed, listed and forgiven', async () => {
  using admin = new TestAdministration()
  await admin.call('suppression.add', { address: 'Dead@Two.test', reason: 'left' })
  expect(await admin.call('suppression.list', {})).toEqual([
    { address: 'dead@two.test', reason: 'left', since: admin.clock.now() },
  ])
  await admin.call('suppression.remove', { address: 'dead@two.test' })
  expect(await admin.call('suppression.list', {})).toEqual([])
  await expect(admin.call('suppression.remove', { address: 'dead@two.test' })).rejects.toMatchObject({
    reason: 'not-found',
  })
})

test('rules hold by destination, sender or recipient, one condition each', async () => {
  using admin = new TestAdministration()
  for (const when of [{ destination: 'Two.test' }, { from: '' }, { from: '@one.test' }, { to: 'Bob@two.test' }]) {
    await admin.call('queue.rule-add', { when })
  }
  expect((await admin.call('queue.rules', {})).map(({ rule }) => rule)).toEqual([
    'destination two.test',
    'from <>',
    'from @one.test',
    'to bob@two.test',
  ])
  await admin.call('queue.rule-remove', { when: { from: '' } })
  expect(await admin.call('queue.rules', {})).toHaveLength(3)
  for (const when of [{}, { from: '', to: 'bob@two.test' }, { to: 'nobody' }]) {
    await expect(admin.call('queue.rule-add', { when })).rejects.toMatchObject({ reason: 'bad-input' })
  }
})

test.each([
  ['Müller.example', 'xn--mller-kva.example'],
  ['Smtp.Two.test:587', 'smtp.two.test:587'],
  ['lmtp:/run/Store.sock', 'lmtp:/run/Store.sock'],
  ['[IPv6:2001:db8::1]', '[IPv6:2001:db8::1]'],
  ['smtp.two.test:587;Me', 'smtp.two.test:587;Me'],
])('a rule for %s held nothing, since the queue has it as %s', async (destination, key) => {
  using admin = new TestAdministration()
  await admin.call('queue.rule-add', { when: { destination } })
  expect(await admin.call('queue.rules', {})).toMatchObject([{ rule: `destination ${key}` }])
  await admin.call('queue.rule-remove', { when: { destination } })
})

import { readdirSync } from 'node:fs'
import { createStaticResolver, zone } from '@pennypost/dns'
import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

test('keys are rotated: made, published, and only then retired', async () => {
  const resolver = createStaticResolver([zone('one.test', [])])
  using admin = new TestAdministration({ resolver })
  await admin.call('domain.add', { name: 'one.test' })
  const old = await admin.call('dkim.list', { domain: 'one.test' })
  expect(old.map(({ selector, published }) => `${selector} ${published}`)).toEqual(['202605e no', '202605r no'])
  await admin.clock.advance(40 * 86_400_000)
  const rotated = await admin.call('dkim.rotate', { domain: 'one.test' })
  expect(rotated.old).toEqual(['202605e', '202605r'])
  expect(rotated.publish.map(({ name }) => name)).toEqual([
    '202606e._domainkey.one.test',
    '202606r._domainkey.one.test',
  ])
  const retire = { domain: 'one.test', selector: '202605r' }
  await expect(admin.call('dkim.retire', retire)).rejects.toThrow(/No other key of one.test is published/)
  for (const { name, value } of rotated.publish) resolver.zones.set(name, 'TXT', [value])
  resolver.zones.set('202605e._domainkey.one.test', 'TXT', ['v=DKIM1; k=ed25519; p=AAAA'])
  expect((await admin.call('dkim.list', {})).map(({ published }) => published)).toEqual([
    'different',
    'no',
    'yes',
    'yes',
  ])
  expect(await admin.call('dkim.retire', retire)).toMatchObject({ record: '202605r._domainkey.one.test' })
  await admin.call('dkim.retire', { domain: 'one.test', selector: '202605e' })
  await expect(admin.call('dkim.retire', retire)).rejects.toMatchObject({ reason: 'not-found' })
  expect(readdirSync(admin.context.installation.dkimDirectory).sort()).toEqual([
    'one.test.202605e.pem.retired',
    'one.test.202605r.pem.retired',
    'one.test.202606e.pem',
    'one.test.202606r.pem',
  ])
})

test('the last key stays', async () => {
  using admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  await admin.call('dkim.retire', { domain: 'one.test', selector: '202605r', force: true })
  const last = { domain: 'one.test', selector: '202605e', force: true }
  await expect(admin.call('dkim.retire', last)).rejects.toThrow(/last key/)
  await expect(admin.call('dkim.rotate', { domain: 'two.test' })).rejects.toMatchObject({ reason: 'not-found' })
  // It said that there are no keys, and how to make some.
  await expect(admin.call('dkim.list', { domain: 'two.test' })).rejects.toMatchObject({ reason: 'not-found' })
})

test('a relayed domain gets keys when they are asked for, under names that the server behind does not have', async () => {
  const resolver = createStaticResolver([zone('far.test', [['202605e._domainkey', 'TXT', 'v=DKIM1; p=AAAA']])])
  using admin = new TestAdministration({ resolver })
  await admin.call('domain.add', { name: 'far.test', relayTo: 'mail.far.test' })
  expect(await admin.call('dkim.list', { domain: 'far.test' })).toEqual([])
  const rotated = await admin.call('dkim.rotate', { domain: 'far.test' })
  expect(rotated).toMatchObject({ kind: 'relay', old: [] })
  expect(rotated.publish.map(({ selector }) => selector)).toEqual(['202605eb', '202605rb'])
})

/** A trusted device has as many connections as who has logged in: none of them counts against its address. */
import type { Account } from '@pennypost/model'
import { expect, it } from 'vitest'
import { testReception } from './test-reception.ts'

it('a trusted device counted against the limit of strangers', async () => {
  const trusted = new Map<string, Account>()
  const host = await testReception({ trusted }, 'submission', 1)
  trusted.set('192.0.2.7', (await host.store.directory.accountByLogin('bob@one.test')) as Account)
  const greeted = async (address: string) => (await host.connect(address).until(/\r\n/)).join()
  const welcome = '220 mail.one.test ESMTP Pennypost'
  for (const address of ['192.0.2.7', '192.0.2.7', '192.0.2.8']) expect(await greeted(address)).toBe(welcome)
  expect(await greeted('192.0.2.8')).toMatch(/^421 4\.7\.0 Too many connections/)
})

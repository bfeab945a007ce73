/** What `status` finds out by itself, beside what the server tells it. */
import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

test('an administrator with a detail in the address was said to be nobody', async () => {
  using admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  await admin.call('account.add', { login: 'alice@one.test', password: 'long enough' })
  const unreachable = async (administrator: string) => {
    admin.context.installation = { ...admin.context.installation, administrator }
    return (await admin.call('status', {})).unreachableAdministrator?.address
  }
  expect(await unreachable('alice+post@one.test')).toBeUndefined()
  expect(await unreachable('alcie+post@one.test')).toBe('alcie+post@one.test')
})

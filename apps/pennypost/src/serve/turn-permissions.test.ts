import type { Account } from '@pennypost/model'
import { expect, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { turnPermissions } from './turn-permissions.ts'

const directory = {
  domain: async (name: string) =>
    name === 'branch.test'
      ? { name, kind: 'relay' as const, target: 'mail.branch.test:2525', catchAll: '' }
      : undefined,
}
const destination = (domain: string, nextHop?: string) => nextHop ?? domain
const account = { login: 'branch@one.test' } as Account

test('only who is named may start the queue, and only of the domains that are named', async () => {
  const config = checkConfig(
    'x',
    'hostname = "a.test"\n[policy]\netrn = [{ domain = "Branch.test", networks = ["192.0.2.0/24"], accounts = ["Branch@one.test"] }]',
  )
  const mayTurn = turnPermissions(config, directory, destination)
  const ask = (node: string, address: string, who?: Account) => mayTurn?.(node, { address, account: who })
  expect(await ask('branch.test', '192.0.2.1')).toEqual(['mail.branch.test:2525'])
  expect(await ask('branch.test', '198.51.100.1')).toBeUndefined()
  expect(await ask('branch.test', '198.51.100.1', account)).toEqual(['mail.branch.test:2525'])
  expect(await ask('other.test', '192.0.2.1', account)).toBeUndefined()
})

test('where nobody may, ETRN is not offered', () => {
  expect(turnPermissions(checkConfig('x', 'hostname = "a.test"'), directory, destination)).toBeUndefined()
})

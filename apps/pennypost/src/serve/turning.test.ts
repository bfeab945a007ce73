import type { Account, Domain } from '@pennypost/model'
import { createRoutes } from '@pennypost/relay'
import { expect, test } from 'vitest'
import { turning } from './turning.ts'

const branch: Domain = { name: 'branch.test', kind: 'relay', target: 'mx.branch.test:2525', catchAll: '' }

function turned() {
  const forgiven: string[] = []
  const mayTurn = turning(
    [
      { domain: 'branch.test', clients: ['192.0.2.0/24'], accounts: ['branch@one.test'] },
      { domain: 'direct.test', clients: ['192.0.2.7'], accounts: [] },
    ],
    {
      directory: { domain: async (name) => (name === 'branch.test' ? branch : undefined) },
      routes: createRoutes({ port: 25 }),
      relay: { forgive: (destinations) => void forgiven.push(...destinations) },
    },
  )
  return { mayTurn, forgiven }
}

test('by network or account, and for the named domain only', async () => {
  const { mayTurn, forgiven } = turned()
  const account = { login: 'branch@one.test' } as Account
  expect(await mayTurn('branch.test', { address: '192.0.2.9', account: undefined })).toEqual(['mx.branch.test:2525'])
  expect(await mayTurn('branch.test', { address: '203.0.113.1', account })).toEqual(['mx.branch.test:2525'])
  expect(await mayTurn('direct.test', { address: '192.0.2.7', account })).toEqual(['direct.test'])
  expect(forgiven).toEqual(['mx.branch.test:2525', 'mx.branch.test:2525', 'direct.test'])
})

test.each([
  ['branch.test', '203.0.113.1'],
  ['direct.test', '192.0.2.8'],
  ['other.test', '192.0.2.9'],
])('not %s from %s', async (node, address) => {
  const { mayTurn, forgiven } = turned()
  expect(await mayTurn(node, { address, account: undefined })).toBeUndefined()
  expect(forgiven).toEqual([])
})

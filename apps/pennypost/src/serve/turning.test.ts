import { type Account, type Domain, silentLog } from '@pennypost/model'
import { createRoutes, type RouteOptions } from '@pennypost/relay'
import { describe, expect, test } from 'vitest'
import { fetching, turning } from './turning.ts'

const target = 'mx.branch.test:2525'
const branch: Domain = { name: 'branch.test', kind: 'relay', target, catchAll: '', verifyRecipients: false }

function directoryOf(...all: Domain[]) {
  return { domain: async (name: string) => all.find((each) => each.name === name), domains: async () => all }
}

function turned() {
  const forgiven: string[] = []
  const mayTurn = turning(
    [
      { domain: 'branch.test', clients: ['192.0.2.0/24'], accounts: ['branch@one.test'] },
      { domain: 'direct.test', clients: ['192.0.2.7'], accounts: [] },
    ],
    {
      directory: directoryOf(branch),
      routes: createRoutes({ port: 25 }),
      log: silentLog,
      relay: { forgive: (destinations) => void forgiven.push(...destinations), turnRound: async () => 'empty' },
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

describe('fetching by ATRN', () => {
  const take = () => {}
  const rules = [
    { domain: 'branch.test', clients: [], accounts: ['branch@one.test'] },
    { domain: 'direct.test', clients: ['192.0.2.7'], accounts: ['branch@one.test'] },
    { domain: 'network.test', clients: ['192.0.2.7'], accounts: [] },
  ]
  const askedOf = (
    waiting: Record<string, 'busy' | 'mail'>,
    routes: RouteOptions = { port: 25 },
    others: readonly Domain[] = [],
  ) => {
    const fetch = fetching(rules, {
      directory: directoryOf(branch, ...others),
      routes: createRoutes(routes),
      log: silentLog,
      relay: {
        forgive: () => {},
        turnRound: async (destination) => {
          const found = waiting[destination]
          return found === 'mail' ? { take } : (found ?? 'empty')
        },
      },
    })
    return async (login: string, ...domains: string[]) => {
      const answer = await fetch({ login } as Account, domains)
      return typeof answer === 'object' ? 'taken' : answer
    }
  }

  test('is for accounts, and for domains that are theirs', async () => {
    const asked = askedOf({ 'mx.branch.test:2525': 'mail' })
    expect(await asked('branch@one.test', 'branch.test')).toBe('taken')
    expect(await asked('branch@one.test')).toBe('taken')
    expect(await asked('other@one.test')).toBe('refused')
    expect(await asked('other@one.test', 'branch.test')).toBe('refused')
    expect(await asked('branch@one.test', 'branch.test', 'network.test')).toBe('refused')
  })

  test('gives the first that has mail, and says when another connection is at it', async () => {
    expect(await askedOf({ 'direct.test': 'mail' })('branch@one.test')).toBe('taken')
    expect(await askedOf({})('branch@one.test')).toBe('empty')
    expect(await askedOf({ 'mx.branch.test:2525': 'busy' })('branch@one.test')).toBe('busy')
    expect(await askedOf({ 'mx.branch.test:2525': 'busy', 'direct.test': 'mail' })('branch@one.test')).toBe('taken')
  })

  const host = { host: 'isp.test', port: 25 }
  test.each<[string, RouteOptions, readonly Domain[]]>([
    ['by the smarthost', { port: 25, smarthost: host }, []],
    [
      'by a route',
      {
        port: 25,
        routes: [
          { domain: 'direct.test', to: host },
          { domain: '.test', to: host },
        ],
      },
      [],
    ],
    ['by the next hop of its domain', { port: 25 }, [{ ...branch, name: 'other.test' }]],
  ])('an account was given the mail of others that goes the same way %s', async (_, routes, others) => {
    const asked = askedOf({ 'isp.test:25': 'mail', 'mx.branch.test:2525': 'mail' }, routes, others)
    expect(await asked('branch@one.test', others.length > 0 ? 'branch.test' : 'direct.test')).toBe('refused')
  })

  test('is for a domain with a route of its own too', async () => {
    const asked = askedOf({ 'isp.test:25': 'mail' }, { port: 25, routes: [{ domain: 'direct.test', to: host }] })
    expect(await asked('branch@one.test', 'direct.test')).toBe('taken')
  })
})

import { describe, expect, it } from 'vitest'
import { mdaOf, path } from '../test/small-directory.ts'

const { mda, accounts } = mdaOf({
  domains: [
    { name: 'one.test', catchAll: 'alice@one.test' },
    { name: 'also.test', kind: 'alias', target: 'one.test' },
    { name: 'whole.test' },
  ],
  accounts: [
    'alice@one.test',
    'bob@one.test',
    { login: 'gone@one.test', removedAt: 1 },
    { login: 'root@one.test', admin: true },
    { login: 'full@one.test', quota: 1 },
  ],
  aliases: {
    'sales@one.test': ['team@one.test', 'ext@far.test'],
    'team@one.test': ['alice@one.test'],
    'loop@one.test': ['loop@one.test', 'bob@one.test'],
    'info@one.test': ['full@one.test'],
  },
  sendAs: { 'bob@one.test': ['boss@far.test', '@whole.test', 'alice@one.test'], 'gone@one.test': ['boss@far.test'] },
  usage: { 'full@one.test': 5 },
})
const may = (number: number, address: string) => mda.maySend(accounts[number - 1]!, path(address))

describe('who may send as whom', () => {
  it('own address, in any case, with details, in alias domains', async () => {
    for (const address of ['alice@one.test', 'ALICE@One.test', 'alice+shop@one.test', 'alice@also.test']) {
      expect(await may(1, address), address).toBe(true)
    }
    expect(await may(5, 'full@one.test')).toBe(true)
  })

  it('aliases of which the account is a target, directly or not', async () => {
    for (const address of ['team@one.test', 'sales@one.test', 'sales+x@also.test']) {
      expect(await may(1, address), address).toBe(true)
      expect(await may(2, address), address).toBe(false)
    }
    expect(await may(2, 'loop@one.test')).toBe(true)
    expect(await may(5, 'info@one.test')).toBe(true)
  })

  it('what was granted: an address with its details, or a whole domain', async () => {
    for (const address of ['boss@far.test', 'Boss+x@FAR.test', 'any@whole.test', 'alice@one.test', 'alice@also.test']) {
      expect(await may(2, address), address).toBe(true)
    }
    for (const address of ['other@far.test', 'any@sub.whole.test']) expect(await may(2, address), address).toBe(false)
  })

  it('the roles, for whom they reach', async () => {
    expect(await may(4, 'postmaster@one.test')).toBe(true)
    expect(await may(1, 'postmaster@one.test')).toBe(false)
  })

  it('nothing else: not a catch-all, not elsewhere, not the target of the own alias, not a removed account', async () => {
    for (const address of [
      'invented@one.test',
      'bob@one.test',
      'x@far.test',
      'ext@far.test',
      'alice@far.test',
      'alice@[192.0.2.9]',
    ]) {
      expect(await may(1, address), address).toBe(false)
    }
    for (const address of ['gone@one.test', 'boss@far.test']) expect(await may(3, address), address).toBe(false)
  })
})

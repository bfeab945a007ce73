import type { Clock } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { path, srs } from '../test/small-directory.ts'
import { createMda } from './expand.ts'
import { sentNotes } from './sent-memory.ts'

it('works over a store: domains, accounts, aliases, grants, who has sent', async () => {
  const clock: Clock = virtualClock()
  await using store = createMemoryStore({ clock, random: seededRandom(1) })
  const { directory, memory } = store
  await directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: 'bob@one.test' })
  await directory.addDomain({ name: 'also.test', kind: 'alias', target: 'one.test', catchAll: '' })
  const login = (name: string) => ({ login: `${name}@one.test`, name, quota: 0, admin: name === 'bob' })
  const alice = await directory.addAccount(login('alice'), clock.now())
  const bob = await directory.addAccount(login('bob'), clock.now())
  await directory.putAlias({ address: 'sales@one.test', targets: ['alice@one.test', 'x@far.test'] })
  await directory.grantSendAs(bob.id, 'alice@one.test')
  const options = { hostname: 'mail.one.test', ownLiterals: [], recipientDelimiter: '+', administrator: '' }
  const mda = createMda({ directory, memory, clock, srs, ...options })

  const reached = async (address: string, reversePath: string) => {
    const expansion = await mda.expand(path(address), { reversePath, size: 0, mayRelay: false })
    if (expansion.kind === 'refused') return expansion.reply.code
    return expansion.deliveries.map((each) => (each.kind === 'file' ? each.account : each.forwardPath))
  }
  expect(await reached('Alice+x@also.test', 'a@far.test')).toEqual([alice.id])
  expect(await reached('sales@one.test', 'a@far.test')).toEqual([alice.id, 'x@far.test'])
  expect(await reached('postmaster@also.test', '')).toEqual([bob.id])
  expect(await reached('invented@one.test', '')).toBe(550)
  await memory.note(sentNotes('invented@one.test', clock.now()))
  expect(await reached('invented@one.test', '')).toEqual([bob.id])
  expect(await mda.maySend(alice, path('sales@also.test'))).toBe(true)
  expect(await mda.maySend(bob, path('alice+x@one.test'))).toBe(true)
  expect(await mda.maySend(alice, path('bob@one.test'))).toBe(false)
})

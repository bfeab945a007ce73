import { silentLog } from '@pennypost/model'
import { seededRandom } from '@pennypost/model/testing'
import { expect, test, vi } from 'vitest'
import { createPeople } from '../test/people.ts'
import { createAuthenticator } from './authenticator.ts'
import { createPasswords } from './passwords.ts'
import { formatScramVerifier, makeScramVerifier, type ScramVerifier } from './scram-verifier.ts'

/** How much is computed is counted, since how long it takes is nothing that a test can hold. */
const work = vi.hoisted(() => ({ hmacs: 0 }))
vi.mock('node:crypto', async (original) => {
  const crypto = await original<typeof import('node:crypto')>()
  return {
    ...crypto,
    createHmac(...given: Parameters<typeof crypto.createHmac>) {
      work.hmacs++
      return crypto.createHmac(...given)
    },
  }
})

test('an unknown name was refused sooner than a known one, so that SCRAM told which accounts there are', async () => {
  const people = await createPeople()
  const authenticator = createAuthenticator({
    ...people,
    passwords: createPasswords({ cost: 4 }),
    secret: Buffer.alloc(32, 3),
    networkOf: (address) => address,
    random: seededRandom(7677),
    log: silentLog,
    scram: true,
  })
  const alice = await people.add('alice@one.test', 'secret')
  await people.add('unready@one.test', 'secret')
  await people.add('bare@one.test')
  const verifier = await makeScramVerifier('secret', authenticator.scramSalt('alice@one.test'))
  const [own] = await people.credentials.list(alice.id)
  await people.credentials.setScram(own!.id, formatScramVerifier(verifier as ScramVerifier))
  const spent: number[] = []
  for (const login of ['alice@one.test', 'unready@one.test', 'bare@one.test', 'nobody@one.test']) {
    work.hmacs = 0
    const claim = { kind: 'scram' as const, login, authMessage: 'n=,r=', proof: Buffer.alloc(32, 1) }
    const result = await authenticator.authenticate({ ...claim, service: 'imap', address: '192.0.2.1' })
    expect(result).toEqual({ ok: false, reason: 'invalid' })
    spent.push(work.hmacs)
  }
  expect(new Set(spent)).toEqual(new Set([spent[0]]))
  expect(spent[0]).toBeGreaterThan(0)
})

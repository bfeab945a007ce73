/** The deadline for a login, met in the midst of one. */
import { expect, test } from 'vitest'
import { testReception, turns } from './test-reception.ts'

test.each([
  [true, /^235 2\.7\.0 /m, false],
  [false, /^535 5\.7\.8 .*\r\n421 4\.4\.2 There was no login for too long/m, true],
])(
  'a password that was being checked when the time was over counted for nothing (right: %s)',
  async (ok, said, ends) => {
    const checked = Promise.withResolvers<void>()
    const host = await testReception({ requireAuth: () => true, offersAuth: () => true, requireTlsForAuth: false })
    const account = await host.store.directory.accountByLogin('bob@one.test')
    if (!account) throw new Error('no account')
    host.options.authenticator = {
      ...host.options.authenticator,
      async authenticate() {
        await checked.promise
        return ok ? { ok, account, actor: account } : { ok, reason: 'invalid' }
      },
    }
    const client = host.connect()
    client.say('EHLO client.test\r\nAUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n')
    await client.until(/^250 /m)
    await host.waits.advance(host.options.limits.loginTimeoutMs)
    await turns()
    expect(client.closed).toBe(false)
    checked.resolve()
    await client.until(said)
    await turns()
    expect(client.closed).toBe(ends)
  },
)

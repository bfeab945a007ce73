/** GNU SASL and curl log in with what is more than a password: SCRAM bound to the TLS session, a client certificate. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { eventually, type Instance, startInstance } from '../e2e/instance.ts'
import { has, makeHome, type Ran, run } from './programs.ts'

const certificate = (name: string) =>
  fileURLToPath(new URL(`../../packages/transport/test/certificates/${name}`, import.meta.url))
const toml = `[auth]\nscram = true\nclient_ca = '${certificate('authority.pem')}'`
const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['alice'], toml })
const alice = 'alice@one.test'

/** Logs in once with the password, and waits for the verifier that this leaves behind. */
async function provideScram(at: Instance, home: string): Promise<void> {
  const url = `imap://127.0.0.1:${at.port('imap')}/`
  expect(await run('curl', ['-sSk', '--ssl-reqd', url, '-u', `${alice}:secret`], { home })).toMatchObject({ code: 0 })
  const { directory, credentials } = at.server.store
  await eventually(async () => {
    const account = await directory.accountByLogin(alice)
    const [own] = account ? await credentials.list(account.id) : []
    return own?.scram ?? undefined
  }, 'a verifier for SCRAM')
}

it.skipIf(!has('gsasl') || !has('curl')).each([
  ['imap', 'imap', 'SCRAM-SHA-256-PLUS', []],
  ['imap', 'imap', 'SCRAM-SHA-256', ['--no-cb']],
  ['smtp', 'submission', 'SCRAM-SHA-256-PLUS', []],
])('gsasl logs in by %s to %s with %s (needs gsasl and curl)', async (protocol, service, mechanism, options) => {
  using home = makeHome()
  await using at = await start()
  await provideScram(at, home.path)
  const logIn = (password: string): Promise<Ran> => {
    const claim = [`--${protocol}`, `--mechanism=${mechanism}`, '-a', alice, '-p', password, '--x509-ca-file=']
    return run('gsasl', [...claim, ...options, '127.0.0.1', String(at.port(service))], { home: home.path })
  }
  const { stdout, stderr } = await logIn('secret')
  expect(stdout + stderr).toContain('Client authentication finished (server trusted)')
  const wrong = await logIn('wrong')
  expect(wrong.code).not.toBe(0)
  expect(wrong.stdout + wrong.stderr).not.toContain('server trusted')
})

it.skipIf(!has('curl'))('curl logs in with a client certificate of our authority (needs curl)', async () => {
  using home = makeHome()
  await using at = await start()
  const logIn = (name: string): Promise<Ran> => {
    const shown = ['--cert', certificate(`${name}.pem`), '--key', certificate(`${name}-key.pem`)]
    const url = `imaps://127.0.0.1:${at.port('imaps')}/`
    const args = ['-sSk', url, ...shown, '-u', `${alice}:`, '--login-options', 'AUTH=EXTERNAL']
    return run('curl', args, { home: home.path })
  }
  expect((await logIn('client')).stdout).toContain('INBOX')
  expect((await logIn('stranger')).code).not.toBe(0)
})

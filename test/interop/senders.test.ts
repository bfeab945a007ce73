/** Programs that submit letters from the command line, with TLS from the start, with STARTTLS, and to be refused. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { type Home, has, makeHome, type Ran, run } from './programs.ts'
import { contents, openImap } from './readers.ts'

const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['alice', 'bob'] })
const alice = 'alice@one.test'
const bob = 'bob@one.test'
const body = '.\n..dots\nGrüße\nno line end'
const written = `From: ${alice}\nTo: ${bob}\nSubject: by hand\n\n${body}`

async function received(at: Instance): Promise<string> {
  await using session = await openImap(at, bob)
  return (await contents(session)).join('---')
}

/** Runs the program, which must succeed, and expects the letter octet by octet. */
async function expectSent(at: Instance, running: Promise<Ran>): Promise<void> {
  const { code, stdout, stderr } = await running
  expect(code, stdout + stderr).toBe(0)
  expect(await received(at)).toContain(`\r\nSubject: by hand\r\n\r\n${body.replaceAll('\n', '\r\n')}\r\n`)
}

it.skipIf(!has('curl')).each([
  ['submission', 'smtp', '--ssl-reqd'],
  ['submissions', 'smtps', '--http1.1'],
])('curl submits to the %s port (needs curl)', async (service, scheme, option) => {
  using home = makeHome()
  await using at = await start()
  const letter = join(home.path, 'letter')
  writeFileSync(letter, written.replaceAll('\n', '\r\n'))
  const url = `${scheme}://127.0.0.1:${at.port(service)}/client.test`
  const envelope = ['--mail-from', alice, '--mail-rcpt', bob, '-T', letter]
  await expectSent(at, run('curl', ['-sSk', option, url, '-u', `${alice}:secret`, ...envelope], { home: home.path }))
})

it.skipIf(!has('msmtp')).each([
  ['submission', 'on'],
  ['submissions', 'off'],
])('msmtp submits to the %s port, and asks for a DSN (needs msmtp)', async (service, startTls) => {
  using home = makeHome()
  await using at = await start()
  const settings = join(home.path, 'msmtprc')
  writeFileSync(
    settings,
    `account default
host 127.0.0.1
port ${at.port(service)}
tls on
tls_starttls ${startTls}
tls_certcheck off
auth on
user ${alice}
password secret
from ${alice}
`,
    { mode: 0o600 },
  )
  await expectSent(at, run('msmtp', ['-C', settings, '-N', 'failure', bob], { input: written, home: home.path }))
})

/** swaks with a letter for Bob; its own exit codes say at which step it was refused. */
function swaks(home: Home, port: number, options: readonly string[]): Promise<Ran> {
  const from = options.includes('-f') ? [] : ['-f', alice]
  return run('swaks', ['--server', `127.0.0.1:${port}`, ...from, '-t', bob, ...options], { home: home.path })
}

it.skipIf(!has('swaks'))('swaks is let in where it may, and told why not where it may not (needs swaks)', async () => {
  using home = makeHome()
  await using at = await start()
  const login = ['-a', 'LOGIN', '-au', alice, '-ap']
  const submission = at.port('submission')
  expect(await swaks(home, at.port('smtp'), ['-f', 'x@elsewhere.test'])).toMatchObject({ code: 0 })
  expect(await swaks(home, submission, ['-tls', ...login, 'secret'])).toMatchObject({ code: 0 })
  expect(await swaks(home, at.port('submissions'), ['--tlsc', '-au', alice, '-ap', 'secret'])).toMatchObject({
    code: 0,
  })
  const wrong = await swaks(home, submission, ['-tls', ...login, 'wrong'])
  expect(wrong.code).toBe(28)
  expect(wrong.stdout).toMatch(/^<~\* 535 5\.7\.8 /m)
  const stranger = await swaks(home, submission, [])
  expect(stranger.code).toBe(23)
  expect(stranger.stdout).toMatch(/^<\*\* 530 5\.7\.0 /m)
  const relay = await swaks(home, at.port('smtp'), ['-f', 'x@elsewhere.test', '-t', 'y@far.test'])
  expect(relay.code).toBe(24)
  expect(relay.stdout).toMatch(/^<\*\* 55\d 5\.7\.1 /m)
})

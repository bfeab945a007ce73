/**
 * The bundle as somebody gets it: in an empty directory, with nothing beside it but the packages of native addons. What
 * the bundler missed (a worker's file, a module that is loaded late) fails here and nowhere else.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { createStaticResolver, zone } from '@pennypost/dns'
import { createChecker } from '@pennypost/message-auth'
import { silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { ImapFlow } from 'imapflow'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { bundle, copies, entries, externals } from '../../scripts/bundle.ts'

const root = resolve(import.meta.dirname, '../..')
const place = mkdtempSync(join(tmpdir(), 'pennypost-bundle-'))
const program = join(place, 'dist/bin/pennypost.js')
const alice = 'alice@one.test'
const tls = { rejectUnauthorized: false }
let server: ChildProcess
let port: (service: string) => number

const verb = (...args: string[]) => promisify(execFile)(process.execPath, [program, ...args], { cwd: place })

beforeAll(async () => {
  const outDir = join(place, 'dist')
  await bundle({ root, outDir, entries, copies })
  mkdirSync(join(outDir, 'node_modules'))
  for (const name of externals) symlinkSync(join(root, 'node_modules', name), join(outDir, 'node_modules', name))
  const listeners = ['submissions', 'imaps', 'http'].map(
    (service) => `[[listener]]\nservice = "${service}"\naddress = "127.0.0.1"\nport = 0`,
  )
  writeFileSync(join(place, 'pennypost.toml'), `hostname = "mail.one.test"\n${listeners.join('\n')}\n`)
  writeFileSync(join(place, 'accounts.csv'), `login,password\n${alice},secret\n`)
  await verb('domain', 'add', 'one.test')
  await verb('account', 'import', 'accounts.csv')
  server = spawn(process.execPath, [program, 'serve'], { cwd: place, stdio: ['ignore', 'pipe', 'inherit'] })
  port = await listening(server)
})

afterAll(async () => {
  if (server?.exitCode === null) {
    server.kill('SIGTERM')
    await once(server, 'exit')
  }
  rmSync(place, { recursive: true, force: true })
})

/** Ports by service, from the log on standard output up to `ready`. */
function listening(child: ChildProcess): Promise<(service: string) => number> {
  const { promise, resolve, reject } = Promise.withResolvers<(service: string) => number>()
  let said = ''
  child.on('exit', () => reject(new Error(`it ended: ${said}`)))
  child.stdout?.on('data', (piece: Buffer) => {
    said += piece
    if (said.includes('"msg":"ready"')) resolve(portIn(said))
  })
  return promise
}

const portIn =
  (log: string) =>
  (service: string): number => {
    const line = log.split('\n').find((each) => each.includes(`"service":"${service}"`))
    if (line === undefined) throw new Error(`no ${service} listener in: ${log}`)
    return (JSON.parse(line) as { port: number }).port
  }

async function inbox(): Promise<string[]> {
  const auth = { user: alice, pass: 'secret' }
  const client = new ImapFlow({ host: '127.0.0.1', port: port('imaps'), secure: true, tls, auth, logger: false })
  await client.connect()
  await client.mailboxOpen('INBOX')
  const letters: string[] = []
  for await (const { source } of client.fetch('1:*', { source: true })) letters.push(String(source))
  await client.logout()
  return letters
}

it('a letter is signed, kept and read again', async () => {
  const auth = { user: alice, pass: 'secret' }
  const transport = createTransport({ host: '127.0.0.1', port: port('submissions'), secure: true, tls, auth })
  await transport.sendMail({ from: alice, to: alice, subject: 'hello', text: 'from a bundle' })
  transport.close()
  const letters = await inbox()
  expect(letters).toHaveLength(1)
  expect(letters[0]).toContain('from a bundle\r\n')
  expect(letters[0]).toMatch(/^DKIM-Signature: .*\bd=one\.test\b/ms)
})

it('verbs reach the server, and its keeper thread reads the store', async () => {
  expect((await verb('account', 'list')).stdout).toContain(alice)
  await expect(verb('check')).resolves.toMatchObject({ stderr: '' })
})

it('what watches it is loaded by the first request', async () => {
  const page = async (path: string) => (await fetch(`http://127.0.0.1:${port('http')}${path}`)).text()
  expect(JSON.parse(await page('/healthz'))).toEqual({ ok: true, ailments: [] })
  const metrics = await page('/metrics')
  expect(metrics).toContain('pennypost_received_messages_total{outcome="accepted"} 1\n')
  expect(metrics).toMatch(/^pennypost_received_bytes_total [1-9]\d*$/m)
  expect(metrics).toMatch(/^process_cpu_seconds_total /m)
})

it('the thread of sender checks starts', async () => {
  await using checker = createChecker({
    resolver: createStaticResolver([zone('one.test', [['@', 'TXT', 'v=spf1 ip4:192.0.2.1 -all']])]),
    clock: systemClock,
    deadline: systemDeadline,
    log: silentLog,
    hostname: 'mail.one.test',
    workerUrl: pathToFileURL(join(place, 'dist/checks.js')),
  })
  const sender = { clientAddress: '192.0.2.1', helo: 'mail.one.test', reversePath: alice }
  expect(await checker.checkSender(sender, new AbortController().signal)).toMatchObject({ result: 'pass' })
})

it('the program ends in good order', async () => {
  server.kill('SIGTERM')
  expect(await once(server, 'exit')).toEqual([0, null])
})

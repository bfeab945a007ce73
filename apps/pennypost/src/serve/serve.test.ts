/** The server as a process, and the signals that it gets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'

const program = fileURLToPath(new URL('../../bin/pennypost.js', import.meta.url))

/** The server in a directory of its own. `prepare` gets that; `options` are Node's. */
function serve(prepare: (directory: string) => void = () => {}, options: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-serve-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
  prepare(directory)
  const child = spawn(process.execPath, [...options, program, 'serve'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  let out = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (out += chunk))
  const says = (words: RegExp) => Promise.race([ended, vi.waitUntil(() => words.test(out), { timeout: 60_000 })])
  return { directory, child, ended, says, said: () => out }
}

test('a server of which a file was gone or of another version held its data, and neither served nor ended', async () => {
  const gone = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => {
      if (url.endsWith('/serve/server.ts')) throw new Error('it is gone')
      return next(url, context)
    } })`
  const { child, ended, said } = serve(undefined, ['--import', `data:text/javascript,${encodeURIComponent(gone)}`])
  onTestFinished(() => void child.kill('SIGKILL'))
  expect(await ended).toEqual([1, null])
  expect(said()).toContain('it is gone')
})

test('a SIGHUP before the server was ready ended it, and systemd starts nothing again that ended so', async () => {
  const { directory, child, ended, says } = serve()
  await vi.waitUntil(() => existsSync(join(directory, 'data')), { timeout: 60_000, interval: 1 })
  child.kill('SIGHUP')
  await says(/^ready$/m)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

test('a SIGUSR1 opened a debugger, by which every user of the machine could read all mail', async () => {
  const { child, ended, says, said } = serve()
  await says(/^ready$/m)
  child.kill('SIGUSR1')
  await says(/certificates reloaded|Debugger listening/)
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
  expect(said()).not.toContain('Debugger')
})

test('a reader of standard output that went away ended the server, as if that were meant', async () => {
  const { directory, child, ended } = serve((at) => {
    writeFileSync(join(at, 'pennypost.toml'), 'hostname = "mail.one.test"\n[log]\nfile = "log"\n')
  })
  child.stdout.destroy()
  const log = () => (existsSync(join(directory, 'log')) ? readFileSync(join(directory, 'log'), 'utf8') : '')
  await Promise.race([ended, vi.waitUntil(() => log().includes('"ready"'), { timeout: 60_000 })])
  child.kill('SIGTERM')
  await ended
  expect(log()).toContain('"stopped"')
})

test.skipIf(process.getuid?.() !== 0)(
  'root who looked why the service does not start left mail that its account could not open',
  async () => {
    const { ended, said } = serve((directory) => {
      mkdirSync(join(directory, 'data'))
      chownSync(join(directory, 'data'), 65_534, 65_534)
    })
    expect(await ended).toEqual([1, null])
    expect(said()).toMatch(/data belongs to uid 65534/)
  },
)

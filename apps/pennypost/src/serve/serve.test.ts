/** The server as a process, and the signals that it gets. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'

const program = fileURLToPath(new URL('../../bin/pennypost.js', import.meta.url))

test('a SIGHUP before the server was ready ended it, and systemd starts nothing again that ended so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-serve-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
  const child = spawn(process.execPath, [program, 'serve'], { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  let out = ''
  child.stdout.on('data', (chunk) => (out += chunk))
  await vi.waitUntil(() => existsSync(join(directory, 'data')), { timeout: 60_000, interval: 1 })
  child.kill('SIGHUP')
  await Promise.race([ended, vi.waitUntil(() => /^ready$/m.test(out), { timeout: 60_000 })])
  child.kill('SIGTERM')
  expect(await ended).toEqual([0, null])
})

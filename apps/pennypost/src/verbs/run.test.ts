/** The program as it starts, before any verb. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { run } from './run.ts'
import { sendmail } from './sendmail.ts'

vi.mock('./sendmail.ts', { spy: true })

const program = fileURLToPath(new URL('../../bin/pennypost.js', import.meta.url))
const own = `pennypost-${process.getuid?.()}`

const onPosix = test.skipIf(process.getuid === undefined)

let temporary: string
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'pennypost-run-'))
})
afterEach(() => rmSync(temporary, { recursive: true, force: true }))

test('as /usr/sbin/sendmail it took the configuration of whoever had left one in the directory', async () => {
  vi.mocked(sendmail).mockResolvedValue(0)
  expect(await run(['node', '/usr/sbin/sendmail', '-t', '-i'])).toBe(0)
  expect(await run(['node', '/usr/bin/pennypost', 'sendmail', '-t'])).toBe(0)
  expect(vi.mocked(sendmail).mock.calls).toEqual([
    [['--config', '/etc/pennypost/pennypost.toml', '-t', '-i']],
    [['-t']],
  ])
})

function start(): void {
  const { stdout } = spawnSync(process.execPath, [program, '--version'], { env: { TMPDIR: temporary } })
  expect(String(stdout)).toMatch(/^pennypost \d/)
}

onPosix('what is compiled is kept where nobody else can come', () => {
  start()
  expect(readdirSync(temporary)).toEqual([own])
  expect(statSync(join(temporary, own)).mode & 0o777).toBe(0o700)
  expect(readdirSync(join(temporary, own))).toHaveLength(1)
})

onPosix('it was kept, and run, where every user of the machine could change it', () => {
  mkdirSync(join(temporary, own))
  chmodSync(join(temporary, own), 0o777)
  start()
  expect(readdirSync(join(temporary, own))).toEqual([])
  expect(readdirSync(temporary)).toEqual([own])
})

onPosix('nor does a symbolic link lead it elsewhere', () => {
  mkdirSync(join(temporary, 'elsewhere'), { mode: 0o700 })
  symlinkSync('elsewhere', join(temporary, own))
  start()
  expect(readdirSync(join(temporary, 'elsewhere'))).toEqual([])
})

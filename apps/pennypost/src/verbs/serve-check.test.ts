import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const program = fileURLToPath(new URL('../../bin/pennypost.js', import.meta.url))

test('what is wrong with a configuration was known when the server had been stopped for it', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'pennypost-check-'))
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }))
  const check = (configuration: string, ...options: string[]) => {
    writeFileSync(join(cwd, 'pennypost.toml'), `hostname = "mail.one.test"\n${configuration}`)
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, 'serve', '--check', ...options], { cwd })
    return { code: status, out: String(stdout), err: String(stderr) }
  }
  expect(check('')).toEqual({ code: 0, out: './pennypost.toml has no faults.\n', err: '' })
  expect(check('', '--json')).toMatchObject({ code: 0, out: '{\n  "file": "./pennypost.toml"\n}\n' })
  expect(check('[relay]\nport = "x"\nca_file = "ca.pem"\n')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/pennypost\.toml:3: relay\.port has to be/),
  })
  expect(check('[relay]\nca_file = "ca.pem"\n')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/pennypost\.toml:3: relay\.ca_file names no file/),
  })
  for (const name of ['cert', 'key']) writeFileSync(join(cwd, `${name}.pem`), 'nothing\n')
  expect(check('[tls]\ncert = "cert.pem"\nkey = "key.pem"\n')).toMatchObject({
    code: 1,
    err: expect.stringContaining('cert.pem'),
  })
  expect(check('', '--demo')).toMatchObject({ code: 2 })
  expect(existsSync(join(cwd, 'data'))).toBe(false)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from './load.ts'
import { loadServedConfig } from './named-files.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-config-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function faults(document: string): string[] {
  const file = join(directory, 'pennypost.toml')
  writeFileSync(file, document)
  try {
    loadServedConfig(file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(({ line, key, text }) => `${line} ${key}: ${text}`)
  }
  return []
}

test('a file that is not there was told alone, and without its key', () => {
  const document = [
    'hostname = "a.test"',
    'data_dir = "pennypost.toml"',
    '[tls]',
    'cert = "cert.pem"',
    'key = "."',
    '[relay]',
    'smarthost = "b.test"',
    'smarthost_user = "me"',
    'smarthost_password_file = "secret"',
    '[[relay.route]]',
    'domain = "c.test"',
    'to = "d.test"',
    'user = "me"',
    'password_file = "pennypost.toml"',
  ]
  expect(faults(document.join('\n'))).toEqual([
    `4 tls.cert: names no file: ${join(directory, 'cert.pem')}`,
    `5 tls.key: names a directory: ${directory}`,
    `9 relay.smarthost_password_file: names no file: ${join(directory, 'secret')}`,
    `2 data_dir: is no directory: ${join(directory, 'pennypost.toml')}`,
  ])
})

test('what is not named, and a data directory that is still to be made, are no faults', () => {
  expect(faults('hostname = "a.test"\ndata_dir = "new/data"')).toEqual([])
})

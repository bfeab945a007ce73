import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ConfigError } from './document.ts'
import { loadServedConfig } from './named-files.ts'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'pennypost-config-'))
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function faults(document: string): Promise<string[]> {
  const file = join(directory, 'pennypost.toml')
  writeFileSync(file, document)
  try {
    await loadServedConfig(file)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.faults.map(({ line, key, text }) => `${line} ${key}: ${text}`)
  }
  return []
}

test('a file that is not there was told alone, and without its key', async () => {
  const document = [
    'hostname = "a.test"',
    'data_dir = "pennypost.toml"',
    '[tls]',
    'cert = "cert.pem"',
    'key = "."',
    '[tls.acme]',
    'accept_terms = true',
    'authority_ca = "ca.pem"',
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
  expect(await faults(document.join('\n'))).toEqual([
    `4 tls.cert: names no file: ${join(directory, 'cert.pem')}`,
    `5 tls.key: names a directory: ${directory}`,
    `8 tls.acme.authority_ca: names no file: ${join(directory, 'ca.pem')}`,
    `12 relay.smarthost_password_file: names no file: ${join(directory, 'secret')}`,
    `2 data_dir: is no directory: ${join(directory, 'pennypost.toml')}`,
  ])
})

test('what is not named, and a data directory that is still to be made, are no faults', async () => {
  expect(await faults('hostname = "a.test"\ndata_dir = "new/data"')).toEqual([])
})

test('a capability that nobody has was disabled without a word', async () => {
  const document = (disable: string) => faults(`hostname = "a.test"\n[imap]\ndisable = [${disable}]`)
  expect(await document('"move", "QUOTA=RES-STORAGE", "AUTH=SCRAM-SHA-256", "appendlimit", "STARTTLS"')).toEqual([])
  expect(await document('"MOVE", "CONDSTOR", "XLIST"')).toEqual([
    expect.stringMatching(
      /^3 imap\.disable: names what Pennypost does not have: CONDSTOR, XLIST; it has ACL, .*CONDSTORE/,
    ),
  ])
})

import { mkdtempSync, rmSync, type Stats, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { findPlace, NoConfiguration } from './place.ts'

vi.mock('node:fs', { spy: true })

const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })

test('a configuration that one may not look at was said not to be there', () => {
  vi.mocked(statSync).mockImplementationOnce(() => {
    throw refused
  })
  expect(() => findPlace()).toThrow(refused)
})

test('so was one in a directory that may be seen, but not be looked into', () => {
  vi.mocked(statSync)
    .mockImplementationOnce(() => ({ isDirectory: () => true }) as Stats)
    .mockImplementationOnce(() => {
      throw refused
    })
  expect(() => findPlace('/closed')).toThrow(refused)
})

test.each([
  ['hostname = "a.test"\ndata_dir = "/srv/mail"\noops', /place\.toml:3: is not TOML/],
  ['hostname = "a.test"\ndata_dir = 5', /place\.toml:2: data_dir has to be text/],
  // As a full disk leaves it.
  ['', /place\.toml: hostname is missing/],
])('with faults in it, what was spooled went where no server looks: %j', (document, fault) => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-place-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'place.toml')
  writeFileSync(file, document)
  expect(() => findPlace(file)).toThrow(fault)
})

test('verbs and sendmail did not work where the current directory is closed to their user', () => {
  vi.mocked(statSync).mockImplementation((path) => {
    if (!String(path).startsWith('/')) throw refused
    return undefined
  })
  expect(() => findPlace()).toThrow(NoConfiguration)
})

import { type Stats, statSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
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

test('verbs and sendmail did not work where the current directory is closed to their user', () => {
  vi.mocked(statSync).mockImplementation((path) => {
    if (!String(path).startsWith('/')) throw refused
    return undefined
  })
  expect(() => findPlace()).toThrow(NoConfiguration)
})

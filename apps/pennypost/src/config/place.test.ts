import { statSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { findPlace } from './place.ts'

vi.mock('node:fs', { spy: true })

test('a configuration that one may not look at was said not to be there', () => {
  const refused = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
  vi.mocked(statSync).mockImplementationOnce(() => {
    throw refused
  })
  expect(() => findPlace()).toThrow(refused)
})

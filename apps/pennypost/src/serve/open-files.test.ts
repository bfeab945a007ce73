import { silentLog } from '@pennypost/model'
import { expect, test } from 'vitest'
import { bearableConnections } from './open-files.ts'

function bearable(wanted: number, files: number): { connections: number; warned: boolean } {
  let warned = false
  const connections = bearableConnections(wanted, { ...silentLog, warn: () => (warned = true) }, files)
  return { connections, warned }
}

test('connections are what the configuration says where open files allow it', () => {
  expect(bearable(10_000, 1_048_576)).toEqual({ connections: 10_000, warned: false })
  expect(bearable(0, Number.POSITIVE_INFINITY)).toEqual({ connections: 0, warned: false })
})

test('where they do not, they are fewer, and it is said', () => {
  expect(bearable(10_000, 1128)).toEqual({ connections: 800, warned: true })
  expect(bearable(0, 1128)).toEqual({ connections: 800, warned: true })
  expect(bearable(10_000, 64)).toEqual({ connections: 1, warned: true })
})

import { PassThrough } from 'node:stream'
import { systemDeadline } from '@pennypost/model'
import { expect, test } from 'vitest'
import { Output } from './output.ts'

test('octets for a client that has gone are given back as they are written, and it is known that it has gone', () => {
  const stream = new PassThrough()
  const out = new Output(stream, systemDeadline, 1000)
  expect(out.gone).toBe(false)
  stream.destroy()
  const octets = Buffer.from(new ArrayBuffer(100_000))
  out.octets(octets)
  out.spend(octets)
  out.flush()
  expect(octets).toHaveLength(0)
  expect(out.backlog).toBe(0)
  expect(out.gone).toBe(true)
})

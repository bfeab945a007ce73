import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { ManualDeadline } from '../../test/dialogue.ts'
import { Wire } from './wire.ts'

test('a chunk that the peer had taken got no more time for its reply than for its octets', async () => {
  let take = (): void => {}
  const stream = new Duplex({
    highWaterMark: 1,
    read() {},
    write(_chunk, _encoding, done) {
      take = done
    },
  })
  const deadline = new ManualDeadline()
  const wire = new Wire(stream, { deadline, transcript: null })
  wire.expect('content', 600_000, () => {})
  wire.write('x')
  const drained = wire.drained(180_000)
  expect(deadline.delaysMs).toEqual([180_000])
  take()
  await drained
  expect(deadline.delaysMs).toEqual([600_000])
})

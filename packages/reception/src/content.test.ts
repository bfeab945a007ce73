import { type ContentStage, silentLog } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, it } from 'vitest'
import { ContentIntake, dataReader } from './content.ts'
import { defaultReceptionLimits } from './options.ts'
import type { Session } from './session.ts'

/** A stage whose writes take their time, and which notes calls that overlap. */
function slowStage() {
  const written: string[] = []
  let writing = 0
  let overlapped = false
  const stage: ContentStage = {
    async write(chunk) {
      overlapped ||= writing > 0
      writing++
      // The first write takes longest: whoever does not wait gets his octets out of order.
      for (let turn = written.length === 0 ? 20 : 1; turn > 0; turn--) await new Promise(setImmediate)
      written.push(chunk.toString())
      writing--
    },
    async finish() {
      return { size: 0, async *read() {}, async discard() {} }
    },
    async discard() {
      overlapped ||= writing > 0
    },
  }
  return { stage, written, overlaps: () => overlapped }
}

function intakeOver(stage: ContentStage) {
  const pending: Promise<unknown>[] = []
  const session = {
    options: { store: { mail: { stage: () => stage } }, limits: defaultReceptionLimits, clock: virtualClock() },
    log: silentLog,
    detach: (work: Promise<unknown>) => void pending.push(work),
  }
  return {
    intake: new ContentIntake(session as unknown as Session, { room: { [Symbol.dispose]() {} } }, true),
    pending,
  }
}

it('pieces of one chunk are staged one after the other, in order', async () => {
  const { stage, written, overlaps } = slowStage()
  const { intake } = intakeOver(stage)
  const reader = dataReader(intake)
  const lines = Array.from({ length: 40 }, (_, index) => `..line ${index}\r\n`).join('')
  reader.push(Buffer.from(lines))
  await reader.ready()
  reader.push(Buffer.from('.\r\n'))
  await reader.ready()
  await intake.finish()
  expect(written.join('')).toBe(lines.replaceAll('..line', '.line'))
  expect(overlaps()).toBe(false)
})

it('a discard waits for the write that is under way', async () => {
  const { stage, written, overlaps } = slowStage()
  const { intake, pending } = intakeOver(stage)
  const reader = dataReader(intake)
  reader.push(Buffer.from('..a\r\n..b\r\n'))
  const waiting = reader.ready()
  intake.discard()
  await Promise.all([waiting, ...pending])
  expect(overlaps()).toBe(false)
  expect(written.length).toBeLessThanOrEqual(1)
})

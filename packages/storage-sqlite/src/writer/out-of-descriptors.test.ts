import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openBareWriter } from '../../test/bare-writer.ts'
import { temporaryDirectory } from '../../test/temporary-store.ts'
import type { Job, JobReply } from './protocol.ts'

const refused = vi.hoisted(() => ({ times: 0 }))

vi.mock('@pennypost/model', async (original) => {
  const model = await original<typeof import('@pennypost/model')>()
  const syncOwnSync = (path: string): void => {
    if (refused.times-- > 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
    model.syncOwnSync(path)
  }
  return { ...model, syncOwnSync }
})

test('a process that may open no more files had its store stop with the next large letter', () => {
  const directory = temporaryDirectory()
  const writer = openBareWriter(directory)
  onTestFinished(() => {
    writer.take({ kind: 'close' })
    rmSync(directory, { recursive: true })
  })
  const run = (...jobs: Job[]): JobReply[] => {
    writer.take({ kind: 'jobs', jobs })
    return writer.commit().replies
  }
  const account = { login: 'a@one.test', name: '', quota: 0, admin: false }
  run(
    { id: 1, verb: 'addDomain', args: { name: 'one.test', kind: 'local', target: '', catchAll: '' } },
    { id: 2, verb: 'addAccount', args: { account, now: 0 } },
  )
  mkdirSync(join(directory, '000001'))
  writeFileSync(join(directory, '000001', '0'), 'x')
  const columns = [1, 0, null, null, ...new Array<string>(12).fill('')]
  const message = { columns, octets: Buffer.of(), headerSize: 0, bodySize: 1, file: '000001/0', bodyStart: 0 }
  const messages = [{ message, flags: [], internalAt: 0, internalOffset: 0, uidl: null }]
  const append: Job = { id: 3, verb: 'append', args: { mailbox: 1, now: 0, messages } }
  const hold: Job = { id: 4, verb: 'hold', args: [] }
  refused.times = 2
  expect(run(append, hold)).toMatchObject([{ error: { code: 'EMFILE' } }, { value: 0 }])
  expect(run(append)).toMatchObject([{ value: { firstUid: 1 } }])
})

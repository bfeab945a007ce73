import { join } from 'node:path'
import { virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openInbox } from '../../test/temporary-store.ts'
import { Reader } from './reader.ts'

test('a read that the disk refused, whereupon SQLite ends the transaction, was told as a commit that failed', async () => {
  const { directory } = await openInbox([])
  const reader = new Reader(join(directory, 'mail.db'), virtualClock(), 1_000_000)
  onTestFinished(() => reader.close())
  const refused = () => {
    reader.db.exec('ROLLBACK')
    throw new Error('disk I/O error')
  }
  expect(() => reader.together(refused)).toThrow('disk I/O error')
  expect(reader.together(() => reader.pluck('SELECT 1').get())).toBe(1)
})

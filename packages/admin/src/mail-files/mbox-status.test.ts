/** The fields of an mbox that are not the message's own. */
import { expect, test } from 'vitest'
import { readMboxStatus, writeMboxStatus } from './mbox-status.ts'

test('fields that a message had brought along itself were taken for its state, and were gone', () => {
  const own = Buffer.from('Status: RO\r\nX-Status: D\r\nX-Keywords: theirs\r\nX-UID: 1\r\nX-UIDL: old\r\n\r\n')
  for (const flags of [['\\Flagged', 'Work'], []]) {
    const written = Buffer.concat([writeMboxStatus(flags, 7, 'u7'), own])
    expect(readMboxStatus(written)).toEqual({ flags, uidl: 'u7', header: own, isInternal: false })
  }
})

test('a message with an X-IMAP of its own was gone when what had been exported was imported', () => {
  const own = Buffer.from('X-IMAP: 1 2\r\n\r\n')
  expect(readMboxStatus(own)).toMatchObject({ isInternal: true })
  expect(readMboxStatus(Buffer.concat([writeMboxStatus([], 7, 'u7'), own]))).toMatchObject({ isInternal: false })
})

test('a field called like what every object has ended the import of the whole file', () => {
  const header = Buffer.from('Constructor: x\r\n__proto__: x\r\nStatus: R\r\n\r\n')
  const own = Buffer.from('Constructor: x\r\n__proto__: x\r\n\r\n')
  expect(readMboxStatus(header)).toEqual({ flags: ['\\Seen'], header: own, isInternal: false })
})

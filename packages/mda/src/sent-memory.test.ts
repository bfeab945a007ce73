import { expect, it } from 'vitest'
import { nowMs } from '../test/small-directory.ts'
import { sentNotes } from './sent-memory.ts'

it('notes an address in lookup form for 60 days, and no null reverse-path', () => {
  expect(sentNotes('Alice+Shop@One.Test', nowMs)).toEqual([
    { kind: 'sent', key: 'alice+shop@one.test', at: nowMs, expiresAt: nowMs + 60 * 86_400_000 },
  ])
  expect(sentNotes('', nowMs)).toEqual([])
})

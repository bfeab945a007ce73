import { expect, test } from 'vitest'
import type { Session } from '../session/session.ts'
import { nothingWanted } from './groups.ts'
import { Notifier } from './notifier.ts'

test('new messages in a kept result that could not be told before NOTIFY ended kept it telling nothing without end', () => {
  const view = { contexts: { arrivals: { any: true } } }
  const session = { user: { id: 1 }, view } as unknown as Session
  using notifier = new Notifier(session, nothingWanted)
  // With the next changes of the result they are told without it.
  expect(notifier.due).toBe(false)
})

/** The contract of `MailStore`. */
import { describe } from 'vitest'
import { describeArrival } from './arrival.ts'
import { describeChanges } from './changes.ts'
import { describeCopies } from './copies.ts'
import type { OpenEngine } from './engine.ts'
import { describeFlagUpdates } from './flag-updates.ts'
import { describeMailboxes } from './mailboxes.ts'
import { describeReading } from './reading.ts'
import { describeReplacing } from './replacing.ts'
import { describeViewers } from './viewers.ts'

export function describeMailStore(name: string, open: OpenEngine): void {
  describe(`${name}: MailStore`, () => {
    describeArrival(open)
    describeMailboxes(open)
    describeChanges(open)
    describeFlagUpdates(open)
    describeCopies(open)
    describeReplacing(open)
    describeReading(open)
    describeViewers(open)
  })
}

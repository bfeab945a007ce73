import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import { printMailbox } from '../grammar/mailbox.ts'
import type { Session } from '../session/session.ts'
import type { Events } from './groups.ts'

/** A mailbox as the client was last told of it. */
export type Counts = Pick<VisibleMailbox, 'messages' | 'uidNext' | 'unseen' | 'highestModSeq' | 'uidValidity'>

/** Items of the STATUS response at NOTIFY SET (RFC 5465 §3.1). */
export function firstItems(session: Session, events: Events): string[] {
  const items = ['MESSAGES', 'UIDNEXT', 'UIDVALIDITY']
  if (events.flags && session.service.registry.has('CONDSTORE')) items.push('HIGHESTMODSEQ')
  return items
}

/** Items that say what changed (RFC 5465 §5.1 to §5.3); none when nothing did that is to be told. */
export function changedItems(session: Session, events: Events, before: Counts, now: Counts): string[] {
  const keepsModSeqs = session.enabled.has('CONDSTORE')
  const items: string[] = []
  const another = now.uidValidity !== before.uidValidity
  const messages = now.uidNext !== before.uidNext || now.messages !== before.messages || (another && events.flags)
  if (messages) items.push('UIDNEXT', 'MESSAGES')
  const changed = events.flags && now.highestModSeq !== before.highestModSeq
  const unseen = events.flags && now.unseen !== before.unseen
  if (keepsModSeqs && (messages || changed)) items.push('HIGHESTMODSEQ')
  if (unseen) items.push('UNSEEN')
  if ((another && messages) || (items.length > 0 && !messages)) items.push('UIDVALIDITY')
  return items
}

/** `* STATUS mailbox (items)`. Asks nothing of the store and, other than the command, enables nothing. */
export function sayCounts(session: Session, name: string, counts: Counts, items: readonly string[]): void {
  const values: Readonly<Record<string, number>> = {
    MESSAGES: counts.messages,
    UIDNEXT: counts.uidNext,
    UIDVALIDITY: counts.uidValidity,
    UNSEEN: counts.unseen,
    HIGHESTMODSEQ: counts.highestModSeq,
  }
  const pairs = items.map((item) => `${item} ${values[item]}`)
  session.untagged(`STATUS ${printMailbox(name, session.utf8Names)} (${pairs.join(' ')})`)
}

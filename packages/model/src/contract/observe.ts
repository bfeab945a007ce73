/**
 * All that can be seen of an engine, in words that know no ids. Numbers that engines are free to choose (MODSEQs,
 * UIDVALIDITYs) stand apart: two engines must agree in their order, not in their value.
 */
import type { AccountId, MailboxId } from '../ids.ts'
import { fetched, flagsByUid, octets } from './engine.ts'
import { accountOf, type Side, withoutIds } from './play.ts'

export interface Seen {
  facts: unknown
  /** These must come in the same order in both engines. */
  modSeqs: number[]
  uidValidities: number[]
}

/** One account with its mailboxes, and every row of those that are not as `known`. */
export async function observeAccount(side: Side, index: 0 | 1, known: Map<number, number>): Promise<Seen> {
  const { store } = side.world
  const account: AccountId = accountOf(side, index)
  const mailboxes = await store.mail.mailboxes(account)
  const facts: unknown[] = [await store.directory.usage(account), await store.mail.subscriptions(account)]
  const modSeqs: number[] = []
  const uidValidities: number[] = []
  for (const mailbox of mailboxes) {
    const { id, account: _, uidValidity, highestModSeq, ...rest } = mailbox
    facts.push(rest)
    modSeqs.push(highestModSeq)
    uidValidities.push(uidValidity)
    if (known.get(id) === highestModSeq) continue
    known.set(id, highestModSeq)
    side.cursors.push({ mailbox: id, modSeq: highestModSeq })
    facts.push(await observeMessages(side, id, modSeqs))
  }
  return { facts, modSeqs, uidValidities }
}

async function observeMessages(side: Side, id: MailboxId, modSeqs: number[]): Promise<unknown> {
  const snapshot = await side.world.store.mail.snapshot(id)
  modSeqs.push(...snapshot.modSeqs)
  const rows = []
  for (const { message, uidl: _, body, header, ...row } of await fetched(side.world, id, {
    header: true,
    body: true,
  })) {
    const whole = body ?? (await octets(side.world.store.mail.readBody(message)))
    rows.push({ ...row, header: header?.toString(), body: whole.toString() })
  }
  return { flags: flagsByUid(snapshot, snapshot.mailbox.keywords), rows }
}

/** What changed since one cursor of the past. */
export async function observeChanges(side: Side, cursor: Side['cursors'][number]): Promise<unknown> {
  const found = await side.world.store.mail.changesSince(cursor.mailbox, cursor.modSeq)
  if (found.deleted) return 'deleted'
  const { uidNext, keywords, vanished } = found
  return { uidNext, keywords, flags: flagsByUid(found, keywords), vanished: vanished.toString() }
}

export async function observeQueue({ world }: Side): Promise<unknown> {
  const { queue } = world.store
  const entries = (await Array.fromAsync(queue.list({}))).flat().map(withoutIds)
  return { entries, counts: await queue.counts(world.clock.now()), next: await queue.nextDueAt() }
}

export async function observeJourneys({ world, journeys }: Side): Promise<unknown> {
  const seen = []
  for (const id of journeys) {
    const events = (await world.store.flow.journey(id))?.events ?? []
    seen.push(events.map((event) => ('entry' in event ? { ...event, entry: 0 } : event)))
  }
  return seen
}

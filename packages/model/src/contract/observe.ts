/**
 * All that can be seen of an engine, in words that know no ids. Numbers that engines are free to choose (MODSEQs,
 * UIDVALIDITYs) stand apart: two engines must agree in their order, not in their value.
 */
import type { AccountId, MailboxId } from '../ids.ts'
import type { Annotated } from '../ports/annotations.ts'
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
  facts.push(await observeShared(side, account))
  if (index === 0) facts.push(await observeAnnotations(side, 'server'))
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
  const viewer = accountOf(side, 0) === snapshot.mailbox.account ? accountOf(side, 1) : accountOf(side, 0)
  const seen = await side.world.store.mail.snapshot(id, viewer)
  modSeqs.push(...seen.modSeqs)
  const viewed = [seen.mailbox.unseen, flagsByUid(seen, seen.mailbox.keywords)]
  const rows = []
  const need = { journey: true, header: true, body: true }
  for (const { message, body, header, ...row } of await fetched(side.world, id, need)) {
    const whole = body ?? (await octets(side.world.store.mail.readBody(message)))
    rows.push({ ...row, header: header?.toString(), body: whole.toString() })
  }
  const annotations = await observeAnnotations(side, id)
  return { flags: flagsByUid(snapshot, snapshot.mailbox.keywords), viewed, annotations, rows }
}

/** What others share with the account, and how. */
async function observeShared(side: Side, account: AccountId): Promise<unknown> {
  const { sharing } = side.world.store
  const seen = []
  for (const { mailbox, owner, rights } of await sharing.sharedWith(account)) {
    const entries = (await sharing.acl(mailbox.id)).map((entry) => ({
      ...entry,
      grantee: ([0, 1] as const).find((index) => accountOf(side, index) === entry.grantee) ?? entry.grantee,
    }))
    seen.push({ owner, name: mailbox.name, unseen: mailbox.unseen, rights, entries })
  }
  return seen
}

async function observeAnnotations(side: Side, of: Annotated): Promise<unknown> {
  const seen = []
  for (const index of [0, 1] as const) {
    for (const { entry, value } of await side.world.store.annotations.annotations(of, accountOf(side, index))) {
      seen.push([index, entry, value.toString()])
    }
  }
  return seen
}

/** What changed since one cursor of the past, for each account. */
export async function observeChanges(side: Side, cursor: Side['cursors'][number]): Promise<unknown> {
  const { mail, annotations } = side.world.store
  const seen = []
  for (const viewer of [accountOf(side, 0), accountOf(side, 1)]) {
    const found = await mail.changesSince(cursor.mailbox, cursor.modSeq, viewer)
    if (found.deleted) {
      seen.push('deleted')
      continue
    }
    const { uidNext, keywords, vanished } = found
    seen.push({ uidNext, keywords, flags: flagsByUid(found, keywords), vanished: vanished.toString() })
    const changed = await annotations.annotationsChanged(cursor.mailbox, viewer, cursor.modSeq)
    seen.push(changed.map(({ entry }) => entry))
  }
  return seen
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

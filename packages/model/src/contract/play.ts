/**
 * Plays one verb against one engine and says what came of it in words that know no ids: names, UIDs, counts, or the
 * reason of a refusal.
 */
import type { AccountId, JourneyId, MailboxId, ModSeq } from '../ids.ts'
import type { Acceptance, Accepted } from '../ports/acceptance.ts'
import type { Acting } from '../ports/mail-store.ts'
import type { LeasedEntry, QueueEntry } from '../ports/queue.ts'
import { StoreError } from '../ports/store-error.ts'
import { UidSet } from '../uid-set.ts'
import { acceptance, append, entry, everything, filing, letter, replace, type World } from './engine.ts'
import type { AcceptanceVerb, By, MailboxRef, Verb } from './verbs.ts'

/** One engine under play, with what it has given so far. */
export interface Side {
  world: World
  journeys: JourneyId[]
  leases: LeasedEntry[]
  /** Every MODSEQ at which a mailbox once stood. */
  cursors: { mailbox: MailboxId; modSeq: ModSeq }[]
}

/** The outcome of a verb, for comparison. */
export async function play(side: Side, verb: Verb): Promise<unknown> {
  try {
    return await run(side, verb)
  } catch (error) {
    if (error instanceof StoreError) return { refused: error.reason }
    throw error
  }
}

function run(side: Side, verb: Verb): Promise<unknown> {
  switch (verb.verb) {
    case 'claim':
    case 'claim one':
    case 'settle':
    case 'hold':
    case 'release':
    case 'retry':
    case 'redirect':
    case 'remove':
      return runOnQueue(side, verb)
    case 'create':
    case 'rename':
    case 'use':
    case 'delete':
    case 'subscribe':
      return runOnNames(side, verb)
    case 'share':
    case 'annotate':
      return runSharing(side, verb)
    case 'accept':
    case 'append':
    case 'replace':
    case 'unconfirm':
      return runArrival(side, verb)
    default:
      return runOnMessages(side, verb)
  }
}

export const accountOf = ({ world }: Side, index: 0 | 1): AccountId => (index === 0 ? world.alice : world.bob)

function pick<Item>(items: readonly Item[], index: number): Item | undefined {
  return items[index % items.length]
}

/** The mailbox of this name, or an id that no mailbox has. */
async function find(side: Side, { account, name }: MailboxRef): Promise<MailboxId> {
  const all = await side.world.store.mail.mailboxes(accountOf(side, account))
  return all.find((mailbox) => mailbox.name === name)?.id ?? (999_999_999 as MailboxId)
}

type Of<Name extends Verb['verb']> = Extract<Verb, { verb: Name }>

async function runArrival(side: Side, verb: Of<'accept' | 'append' | 'replace' | 'unconfirm'>): Promise<unknown> {
  const { world, journeys } = side
  switch (verb.verb) {
    case 'accept': {
      const given: Acceptance[] = []
      for (const one of verb.acceptances) given.push(await compose(side, one))
      journeys.push(...given.map(({ journey }) => journey))
      const accepted = await world.store.mail.accept(given)
      return Promise.all(accepted.map((one) => describe(side, one)))
    }
    case 'append': {
      const letters = verb.letters.map(({ body, flags }) => ({ text: letter('hello', body), flags: [...flags] }))
      return append(world, await find(side, verb.to), ...letters)
    }
    case 'replace': {
      const { uid, body, flags } = verb
      const given = { text: letter('instead', body), flags: [...flags] }
      const { appended, expunged } = await replace(
        world,
        await find(side, verb.from),
        uid,
        given,
        await find(side, verb.to),
      )
      return [appended.uids.toString(), expunged.uids.toString()]
    }
    case 'unconfirm': {
      const journey = pick(journeys, verb.journey)
      return journey && world.store.mail.unconfirm(journey, world.clock.now())
    }
  }
}

function compose(
  side: Side,
  { body, filings, destinations, fingerprint, unlessFull }: AcceptanceVerb,
): Promise<Acceptance> {
  return acceptance(side.world, {
    text: letter('hello', body),
    filings: filings.map((one) => filing(accountOf(side, one.account), one.mailbox, { flags: one.flags })),
    queue: destinations.map((destination) => entry(destination, `d@${destination}`, `e@${destination}`)),
    ...(fingerprint === '' ? {} : { fingerprint }),
    unlessFull: unlessFull.map((account) => accountOf(side, account)),
  })
}

async function describe({ world }: Side, { journey, repeated, filed, queued }: Accepted) {
  const copies = []
  for (const { account, mailbox, uid } of filed) {
    copies.push([account === world.alice, (await world.store.mail.mailbox(mailbox))?.name, uid])
  }
  return { journey, repeated, copies, queued: queued.length }
}

async function runOnNames(
  side: Side,
  verb: Of<'create' | 'rename' | 'use' | 'delete' | 'subscribe'>,
): Promise<unknown> {
  const { mail } = side.world.store
  const account = accountOf(side, verb.mailbox.account)
  const { name } = verb.mailbox
  switch (verb.verb) {
    case 'create':
      return (await mail.createMailbox(account, name, verb.specialUse)).name
    case 'rename':
      return mail.renameMailbox(account, name, verb.to)
    case 'use':
      return mail.setSpecialUse(account, name, verb.specialUse)
    case 'delete':
      return mail.deleteMailbox(account, name)
    case 'subscribe':
      return mail.subscribe(account, name, verb.subscribed)
  }
}

function actingAs(side: Side, { account, ...may }: By): Acting {
  return { account: accountOf(side, account), may }
}

async function runSharing(side: Side, verb: Of<'share' | 'annotate'>): Promise<unknown> {
  const { sharing, annotations } = side.world.store
  if (verb.verb === 'share') {
    const { grantee, negative, mode, rights } = verb
    const whom = grantee === 'anyone' ? grantee : accountOf(side, grantee)
    return sharing.setAcl(await find(side, verb.mailbox), { grantee: whom, negative, mode, rights })
  }
  const of = verb.mailbox === 'server' ? verb.mailbox : await find(side, verb.mailbox)
  const changes = verb.entries.map(([entry, value]) => ({ entry, value: value === null ? null : Buffer.from(value) }))
  await annotations.annotate(of, accountOf(side, verb.account), changes)
  return undefined
}

type OnMessages = Of<
  | 'flags'
  | 'flags as'
  | 'store unchanged'
  | 'copy'
  | 'move'
  | 'expunge'
  | 'claim recent'
  | 'search'
  | 'quota'
  | 'advance'
>

async function runOnMessages(side: Side, verb: OnMessages): Promise<unknown> {
  const { mail, directory } = side.world.store
  switch (verb.verb) {
    case 'flags': {
      const change = { uids: UidSet.of(...verb.uids), mode: verb.mode, flags: verb.flags }
      return (await mail.updateFlags(await find(side, verb.mailbox), change)).modified.toString()
    }
    case 'flags as': {
      const change = { uids: UidSet.of(...verb.uids), mode: verb.mode, flags: verb.flags }
      const acting = actingAs(side, verb.by)
      return (await mail.updateFlags(await find(side, verb.mailbox), change, acting)).modified.toString()
    }
    case 'store unchanged': {
      const since = pick(side.cursors, verb.cursor)
      if (!since) return undefined
      const change = { uids: UidSet.of(...verb.uids), mode: 'add', flags: verb.flags } as const
      const updated = await mail.updateFlags(since.mailbox, { ...change, unchangedSince: since.modSeq })
      return updated.modified.toString()
    }
    case 'copy':
    case 'move': {
      const [from, to] = [await find(side, verb.from), await find(side, verb.to)]
      const acting = verb.by && actingAs(side, verb.by)
      const { source, target } = await mail[verb.verb](from, UidSet.of(...verb.uids), to, acting)
      return { source: source.toString(), target }
    }
    case 'expunge':
      return (await mail.expunge(await find(side, verb.mailbox), UidSet.of(...verb.uids), verb.only)).uids.toString()
    case 'claim recent':
      return mail.claimRecent(await find(side, verb.mailbox))
    case 'search': {
      const wanted = { key: 'flags', set: verb.set, clear: verb.clear } as const
      const query = { key: 'and', queries: [wanted, { key: 'text', text: verb.text }] } as const
      return (await mail.search(await find(side, verb.mailbox), query, everything)).toString()
    }
    case 'quota':
      await directory.updateAccount(accountOf(side, verb.account), { quota: verb.quota })
      return undefined
    case 'advance':
      return undefined
  }
}

async function runOnQueue(
  side: Side,
  verb: Of<'claim' | 'claim one' | 'settle' | 'hold' | 'release' | 'retry' | 'redirect' | 'remove'>,
): Promise<unknown> {
  const { store, clock } = side.world
  const now = clock.now()
  if (verb.verb === 'claim') {
    const claimed = await store.queue.claim({ now, slots: 1000, perDestination: 1000, leaseMs: 60_000 })
    claimed.sort((a, b) => a.id - b.id)
    side.leases.push(...claimed)
    return claimed.map(({ lease: _, ...leased }) => withoutIds(leased))
  }
  if (verb.verb === 'settle') return settle(side, verb)
  const all = (await Array.fromAsync(store.queue.list({}))).flat()
  const ids = all
    .slice(verb.entry % (all.length + 1))
    .map((one) => one.id)
    .slice(0, 1)
  switch (verb.verb) {
    case 'claim one': {
      const claimed = ids[0] === undefined ? undefined : await store.queue.claimOne(ids[0], now, 60_000)
      if (!claimed) return undefined
      side.leases.push(claimed)
      const { lease: _, ...leased } = claimed
      return withoutIds(leased)
    }
    case 'hold':
      return store.queue.hold(ids)
    case 'release':
      return store.queue.release(ids, now)
    case 'retry':
      return store.queue.retryNow(ids, now)
    case 'redirect':
      return store.queue.redirect(ids, 'redirected.test', now)
    case 'remove':
      return store.queue.remove(ids)
  }
}

async function settle(side: Side, { lease, outcomes, dsn, goesOn }: Of<'settle'>): Promise<unknown> {
  const { world } = side
  const leased = pick(side.leases, lease)
  if (!leased) return undefined
  const bounce = { body: 'bounce\r\n', filings: [{ account: 0, mailbox: 'INBOX', flags: [] }] as const }
  const accept = dsn
    ? [await compose(side, { ...bounce, destinations: ['z.test'], fingerprint: '', unlessFull: [] })]
    : []
  side.journeys.push(...accept.map(({ journey }) => journey))
  const accepted = await world.store.queue.settle({
    entry: leased.id,
    lease: leased.lease,
    dueAt: leased.dueAt,
    nextAttemptAt: world.clock.now() + 1000,
    attempted: true,
    goesOn,
    accept,
    flow: [],
    outcomes: outcomes.map((outcome, index) => ({ index, outcome, reply: `${outcome} ${index}` })),
    delayNotified: [1],
  })
  return Promise.all(accepted.map((one) => describe(side, one)))
}

export function withoutIds({ id: _, message: __, ...rest }: QueueEntry) {
  return rest
}

/**
 * What an engine gives to be tested, and the small world in which each test runs: two domains, two accounts, a clock
 * that stands still, and verbs in short form. A test that passes must also leave a store whose own check finds nothing
 * and whose counters are what a full recount says.
 *
 * Who calls it: the suites beside it.
 */
import { expect, test } from 'vitest'
import { type FlagBits, flagsOf } from '../flags.ts'
import { type AccountId, type JourneyId, type MailboxId, type ModSeq, type Uid, uid } from '../ids.ts'
import { asciiSearchText } from '../memory/ascii-search-text.ts'
import type { Acceptance, Accepted, NewFiling } from '../ports/acceptance.ts'
import type { FetchedMessage, FetchNeed, Mailbox, NewAppend, Replaced } from '../ports/mail-store.ts'
import type { NewQueueEntry } from '../ports/queue.ts'
import type { SearchText, Store, StoreLimits } from '../ports/store.ts'
import { StoreError, type StoreRefusal } from '../ports/store-error.ts'
import type { Clock, Random } from '../ports/time.ts'
import { createJourneyId } from '../rules/journey-id.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { type VirtualClock, virtualClock } from '../testing/virtual-clock.ts'
import { UidSet } from '../uid-set.ts'
import { recount } from './recount.ts'

export interface EngineOptions {
  clock: Clock
  random: Random
  searchText: SearchText
  limits?: Partial<StoreLimits>
}

/** Opens an empty store of the engine that looks into text by `asciiSearchText`. Called once for each test, which closes it. */
export type OpenEngine = (options: EngineOptions) => Promise<Store>

export const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])

export interface World {
  store: Store
  clock: VirtualClock
  random: Random
  alice: AccountId
  bob: AccountId
}

export async function openWorld(open: OpenEngine, limits: Partial<StoreLimits> = {}): Promise<World> {
  const clock = virtualClock()
  const random = seededRandom(1)
  const store = await open({ clock, random: seededRandom(2), searchText: asciiSearchText, limits })
  const { directory } = store
  for (const name of ['one.test', 'two.test']) {
    await directory.addDomain({ name, kind: 'local', target: '', catchAll: '' })
  }
  const add = async (login: string): Promise<AccountId> =>
    (await directory.addAccount({ login, name: '', quota: 0, admin: false }, clock.now())).id
  return { store, clock, random, alice: await add('alice@one.test'), bob: await add('bob@two.test') }
}

/** `test` with a world of its own. */
export function worldTest(open: OpenEngine) {
  return (name: string, body: (world: World) => Promise<void>, limits?: Partial<StoreLimits>): void =>
    test(name, async () => {
      const world = await openWorld(open, limits)
      try {
        await body(world)
        expect(await Array.fromAsync(world.store.check())).toEqual([])
        await recount(world.store)
      } finally {
        await world.store.close()
      }
    })
}

export async function mailboxNamed({ store }: World, account: AccountId, name: string): Promise<Mailbox> {
  const mailbox = (await store.mail.mailboxes(account)).find((candidate) => candidate.name === name)
  if (!mailbox) throw new Error(`no mailbox ${name}`)
  return mailbox
}

export async function inboxOf(world: World, account = world.alice): Promise<MailboxId> {
  return (await mailboxNamed(world, account, 'INBOX')).id
}

export async function sentOf(world: World): Promise<MailboxId> {
  return (await mailboxNamed(world, world.alice, 'Sent')).id
}

/** A plain letter. */
export function letter(subject = 'hello', body = 'a line\r\n'): string {
  return `From: carol@three.test\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@three.test>\r\n\r\n${body}`
}

export interface Appending {
  flags?: string[]
  text?: string | Buffer
  internalDate?: { at: number; offsetMinutes: number }
  uidl?: string
}

export async function append(world: World, mailbox: MailboxId, ...letters: Appending[]): Promise<Uid[]> {
  const messages: NewAppend[] = []
  for (const given of letters) messages.push(await newAppend(world, given))
  return [...(await world.store.mail.append(mailbox, messages)).uids]
}

async function newAppend({ store, clock }: World, given: Appending): Promise<NewAppend> {
  const { flags = [], text = letter(), internalDate, uidl } = given
  return {
    message: await sampleMessage(store.mail, text),
    flags,
    internalDate: internalDate ?? { at: clock.now(), offsetMinutes: 0 },
    ...(uidl === undefined ? {} : { uidl }),
  }
}

/** Puts the letter in the place of a message of `from`, in that mailbox unless another is named. */
export async function replace(
  world: World,
  from: MailboxId,
  gone: number,
  given: Appending,
  to: MailboxId = from,
): Promise<Replaced> {
  return world.store.mail.replace(from, uid(gone), to, await newAppend(world, given))
}

export async function appendMany(world: World, mailbox: MailboxId, count: number): Promise<Uid[]> {
  return append(world, mailbox, ...Array.from({ length: count }, (_, index) => ({ text: letter(`letter ${index}`) })))
}

export const filing = (account: AccountId, mailbox = 'INBOX', more: Partial<NewFiling> = {}): NewFiling => ({
  account,
  mailbox,
  delivery: Buffer.from('Return-Path: <carol@three.test>\r\n'),
  flags: [],
  forwardPaths: ['alice@one.test'],
  ...more,
})

export const entry = (destination: string, ...forwardPaths: string[]): NewQueueEntry => ({
  destination,
  route: 'remote',
  envelope: { reversePath: 'alice@one.test', smtpUtf8: false, requireTls: false, autoSubmitted: false },
  recipients: (forwardPaths.length > 0 ? forwardPaths : [`dave@${destination}`]).map((forwardPath) => ({
    forwardPath,
  })),
})

export type Accepting = Partial<Omit<Acceptance, 'message'>> & { text?: string; trace?: string }

export async function acceptance(world: World, given: Accepting): Promise<Acceptance> {
  const { text = letter(), trace = 'Received: here\r\n', ...rest } = given
  const now = world.clock.now()
  return {
    journey: createJourneyId(now, world.random),
    acceptedAt: now,
    reversePath: 'carol@three.test',
    message: await sampleMessage(world.store.mail, text, trace),
    filings: [],
    queue: [],
    memory: [],
    flow: [],
    ...rest,
  }
}

export async function accept(world: World, given: Accepting): Promise<Accepted> {
  const [accepted] = await world.store.mail.accept([await acceptance(world, given)])
  return accepted as Accepted
}

/** Everything in a mailbox as `uid → names of flags`. */
export async function flagsIn({ store }: World, mailbox: MailboxId): Promise<Record<number, string[]>> {
  const snapshot = await store.mail.snapshot(mailbox)
  return flagsByUid(snapshot, snapshot.mailbox.keywords)
}

export function flagsByUid(rows: { uids: Uint32Array; flags: Float64Array }, keywords: readonly string[]) {
  const named = (bits: FlagBits): string[] => flagsOf(bits, keywords).sort()
  return Object.fromEntries([...rows.uids].map((uid, index) => [uid, named(rows.flags[index] as number)]))
}

export async function uidsIn({ store }: World, mailbox: MailboxId): Promise<number[]> {
  return [...(await store.mail.snapshot(mailbox)).uids]
}

export async function fetched({ store }: World, mailbox: MailboxId, need: FetchNeed = {}): Promise<FetchedMessage[]> {
  return (await Array.fromAsync(store.mail.fetch(mailbox, everything, need))).flat()
}

export async function octets(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(chunks))
}

/** The mailbox's change cursor. */
export async function cursor({ store }: World, mailbox: MailboxId): Promise<ModSeq> {
  return (await store.mail.snapshot(mailbox)).mailbox.highestModSeq
}

export async function kindsOf({ store }: World, journey: JourneyId): Promise<string[]> {
  return ((await store.flow.journey(journey))?.events ?? []).map((event) => event.kind)
}

/** Matches the error with which a port refuses; protocols tell it by its class. */
export const refusal = (reason: StoreRefusal) => ({
  asymmetricMatch: (error: unknown): boolean => error instanceof StoreError && error.reason === reason,
  toString: () => `StoreError ${reason}`,
})

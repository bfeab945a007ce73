import { rmSync } from 'node:fs'
import { type AccountId, createJourneyId, type MailboxId, type SearchQuery, type Store, UidSet } from '@pennypost/model'
import { asciiSearchText, createMemoryStore } from '@pennypost/model/memory'
import { sampleMessage, seededRandom, virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { openStore, temporaryDirectory } from '../../test/temporary-store.ts'

/**
 * Mail is indexed of accounts whose mailboxes somebody opens. Which those are, when, and what is copied and moved between
 * them and others changes no answer: the memory engine, which has no index, gives the same.
 */
const random = seededRandom(5)
const below = (count: number): number => Math.floor(random.fraction() * count)
const everything = UidSet.ofRanges([[1, 2 ** 32 - 1]])
const words = ['needle', 'thread', 'button', 'cotton', 'velvet', 'ribbon']

async function openIndexed() {
  const directory = temporaryDirectory()
  const store = await openStore(directory, { limits: { searchIndexDelayMs: 0 } })
  onTestFinished(async () => {
    await store.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return store
}

interface Place {
  account: AccountId
  name: string
  id: MailboxId
}

/** Two mailboxes of each of some new accounts. */
async function populate({ directory, mail }: Store, names: readonly string[]): Promise<Place[]> {
  await directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const places: Place[] = []
  for (const login of names) {
    const { id: account } = await directory.addAccount(
      { login: `${login}@one.test`, name: '', quota: 0, admin: false },
      0,
    )
    for (const { id, name } of (await mail.mailboxes(account)).slice(0, 2)) places.push({ account, name, id })
  }
  return places
}

async function deliver({ mail }: Store, { account, name }: Place, texts: readonly string[]): Promise<void> {
  for (const text of texts) {
    const filing = { account, mailbox: name, delivery: Buffer.of(), flags: [], forwardPaths: ['a@one.test'] }
    const message = await sampleMessage(mail, text)
    const journey = createJourneyId(0, random)
    await mail.accept([
      { journey, acceptedAt: 0, reversePath: '', message, memory: [], flow: [], filings: [filing], queue: [] },
    ])
  }
}

async function append({ mail }: Store, { id }: Place, texts: readonly string[]): Promise<void> {
  const messages = await Promise.all(
    texts.map(async (text) => ({
      message: await sampleMessage(mail, text),
      flags: [],
      internalDate: { at: 0, offsetMinutes: 0 },
    })),
  )
  await mail.append(id, messages)
}

const text = (needle: string): SearchQuery => ({ key: 'text', text: needle })

test('mail that nobody opens is not indexed; who searches it has it indexed, and who opens a mailbox all of the account', async () => {
  const store = await openIndexed()
  const [inbox, other] = (await populate(store, ['alice'])) as [Place, Place]
  const state = () => store.stats().search
  const whole = () => expect.poll(() => state().index).toBe('whole')
  const letters = (count: number) => Array.from({ length: count }, () => `Subject: ${'x'.repeat(500)}\n\nneedle\n`)
  await deliver(store, inbox, letters(1))
  await deliver(store, other, letters(300))
  expect(state()).toEqual({ index: 'whole', behind: 0, octets: 0 })
  expect((await store.mail.search(inbox.id, text('needle'), everything)).toString()).toBe('1')
  await whole()
  const { octets } = state()
  expect(octets).toBeGreaterThan(0)
  using _watch = store.mail.watch(inbox.account, () => {})
  expect(state().index).toBe('behind')
  await whole()
  expect(state().octets).toBeGreaterThan(octets)
})

test('who appends mail has the account indexed', async () => {
  const store = await openIndexed()
  const [inbox] = (await populate(store, ['alice'])) as [Place]
  await append(store, inbox, ['Subject: one\n\nneedle\n'])
  expect(store.stats().search.index).toBe('behind')
  await expect.poll(() => store.stats().search.index).toBe('whole')
})

/** Some UIDs below 700. */
function range(): UidSet {
  const first = 1 + below(600)
  return UidSet.ofRanges([[first, first + below(100)]])
}

test('what is opened, copied, moved and expunged in which order changes no answer', async () => {
  const indexed = await openIndexed()
  await using plain = createMemoryStore({ clock: virtualClock(), random: seededRandom(1), searchText: asciiSearchText })
  const names = ['alice', 'bob', 'carol', 'dave']
  const worlds = [
    { store: indexed, places: await populate(indexed, names) },
    { store: plain, places: await populate(plain, names) },
  ]
  let letters = 0
  let found = 0
  for (let round = 0; round < 250; round++) {
    const [from, to, uids, verb] = [below(8), below(8), range(), below(8)]
    const texts = Array.from({ length: 1 + below(40) }, () => `Subject: ${letters++}\n\n${words[below(6)]}\n`)
    const query = below(2) === 0 ? text(words[below(6)] as string) : text(`subject: ${below(letters + 1)}\n`)
    const answers: UidSet[] = []
    for (const { store, places } of worlds) {
      const [here, there] = [places[from] as Place, places[to] as Place]
      if (verb < 3) await deliver(store, here, texts)
      if (verb === 3) await store.mail.copy(here.id, uids, there.id)
      if (verb === 4) await store.mail.move(here.id, uids, there.id)
      if (verb === 5) await store.mail.expunge(here.id, uids, 'all')
      if (verb === 6 && round % 3 === 0) await append(store, here, texts)
      if (verb === 7 && round % 3 === 0) store.mail.watch(here.account, () => {})
      answers.push(await store.mail.search(there.id, query, everything))
    }
    if (verb === 7 && round % 3 === 1) await expect.poll(() => indexed.stats().search.index).toBe('whole')
    const [answer, expected] = answers
    expect(`${round} ${answer}`).toBe(`${round} ${expected}`)
    if (expected && !expected.isEmpty) found++
  }
  expect(found).toBeGreaterThan(50)
  expect(letters).toBeGreaterThan(1000)
  expect(await Array.fromAsync(indexed.check())).toEqual([])
})

import { afterEach, describe, expect, test } from 'vitest'
import { journeyId } from '../ids.ts'
import type { Store } from '../ports/store.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import { seededRandom } from '../testing/seeded-random.ts'
import { virtualClock } from '../testing/virtual-clock.ts'
import { createMemoryStore, type MemoryStoreOptions } from './store.ts'

const open = (options: Partial<MemoryStoreOptions> = {}): Store =>
  createMemoryStore({ clock: virtualClock(), random: seededRandom(1), ...options })

describe('the memory engine', () => {
  let store: Store

  afterEach(() => store.close())

  test('has room up to its limit of octets', async () => {
    store = open({ limits: { octets: 100 } })
    const clock = virtualClock()
    await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    const login = { login: 'alice@one.test', name: '', quota: 0, admin: false }
    const alice = await store.directory.addAccount(login, clock.now())
    const [inbox] = await store.mail.mailboxes(alice.id)
    expect(store.mail.reserve(101)).toBeUndefined()
    const room = store.mail.reserve(60)
    expect(store.mail.reserve(41)).toBeUndefined()
    for (let twice = 0; twice < 2; twice++) room?.[Symbol.dispose]()
    store.mail.reserve(100)?.[Symbol.dispose]()
    const message = await sampleMessage(store.mail, 'Subject: x\r\n\r\nbody\r\n')
    await store.mail.append(inbox!.id, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
    expect(store.mail.reserve(81)).toBeUndefined()
  })

  test('refuses content that another engine staged', async () => {
    store = open()
    const elsewhere = { stage: open().mail.stage }
    const message = await sampleMessage(elsewhere, 'Subject: x\r\n\r\n')
    message.content = { ...message.content, size: 0, read: message.content.read, discard: async () => {} }
    const acceptance = { journey: journeyId('J'), acceptedAt: 0, reversePath: '', message }
    const rest = { filings: [], queue: [], memory: [], flow: [] }
    await expect(store.mail.accept([{ ...acceptance, ...rest }])).rejects.toThrow('another engine')
  })
})

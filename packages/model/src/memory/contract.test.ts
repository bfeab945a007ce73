import { describe, expect, test } from 'vitest'
import { compareEngines, describeEquivalence, describeStore, type OpenEngine } from '../contract/index.ts'
import type { MailStore } from '../ports/mail-store.ts'
import type { Store } from '../ports/store.ts'
import { UidSet } from '../uid-set.ts'
import { createMemoryStore } from './store.ts'

const open: OpenEngine = async (options) => createMemoryStore(options)

describeStore('memory', open)
describeEquivalence('memory and memory', open, open)

describe('the comparison of engines finds', () => {
  /** The memory engine with one verb done wrong. */
  const wrong =
    (change: (mail: MailStore, store: Store) => Partial<MailStore>): OpenEngine =>
    async (options) => {
      const store = createMemoryStore(options)
      return { ...store, mail: { ...store.mail, ...change(store.mail, store) } }
    }
  const faults: [string, OpenEngine][] = [
    [
      'an expunge that asks for no \\Deleted',
      wrong((mail) => ({ expunge: (id, uids) => mail.expunge(id, uids, 'all') })),
    ],
    ['a copy in the place of a move', wrong((mail) => ({ move: mail.copy }))],
    [
      'flags that are added and never removed',
      wrong((mail) => ({
        updateFlags: (id, change) => mail.updateFlags(id, { ...change, mode: 'add' }),
      })),
    ],
    ['an unconfirmed acceptance that is forgotten', wrong(() => ({ unconfirm: async () => {} }))],
    [
      'an append that keeps no flags',
      wrong((mail) => ({
        append: (id, messages) =>
          mail.append(
            id,
            messages.map((message) => ({ ...message, flags: [] })),
          ),
      })),
    ],
    [
      'a viewer’s \\Seen that is everybody’s',
      wrong((mail) => ({ updateFlags: (id, change) => mail.updateFlags(id, change) })),
    ],
    ['copies that bear the owner’s \\Seen', wrong((mail) => ({ copy: (from, uids, to) => mail.copy(from, uids, to) }))],
    [
      'changes that tell of no expunge',
      wrong((mail) => ({
        changesSince: async (id, since) => {
          const changes = await mail.changesSince(id, since)
          return { ...changes, vanished: UidSet.empty }
        },
      })),
    ],
  ]
  test.each(faults)('%s', async (_name, faulty) => {
    await expect(compareEngines(open, faulty, { seed: 5, runs: 200, endOnFailure: true })).rejects.toThrow(
      'Property failed',
    )
  })
})

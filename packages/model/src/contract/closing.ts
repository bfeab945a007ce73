/** The contract of `Store` itself. */
import { describe, expect, test } from 'vitest'
import { messageId, modSeq } from '../ids.ts'
import { UidSet } from '../uid-set.ts'
import { append, inboxOf, letter, type OpenEngine, openWorld, refusal } from './engine.ts'

export function describeClosing(name: string, open: OpenEngine): void {
  describe(`${name}: Store`, () => {
    test('verbs after close are refused, closing twice is not', async () => {
      const world = await openWorld(open)
      const { store, clock, alice } = world
      const inbox = await inboxOf(world)
      await append(world, inbox, { text: letter() })
      await store.close()
      await store.close()
      await store[Symbol.asyncDispose]()
      const verbs: (() => Promise<unknown>)[] = [
        () => store.mail.mailboxes(alice),
        () => store.mail.snapshot(inbox),
        () => store.mail.changesSince(inbox, modSeq(1)),
        () => store.mail.createMailbox(alice, 'x'),
        () => store.mail.copy(inbox, UidSet.of(1), inbox),
        () => Array.fromAsync(store.mail.fetch(inbox, UidSet.empty, {})),
        () => Array.fromAsync(store.mail.readBody(messageId(1))),
        () => store.mail.search(inbox, { key: 'all' }, UidSet.of(1)),
        () => store.sharing.sharedWith(alice),
        () => store.annotations.annotations(inbox, alice),
        () => store.queue.nextDueAt(),
        () => Array.fromAsync(store.queue.list({})),
        () => store.queue.claim({ now: clock.now(), slots: 1, perDestination: 1, leaseMs: 1 }),
        () => store.directory.accounts(),
        () => store.directory.accountByLogin('alice@one.test'),
        () => store.directory.usage(alice),
        () => store.credentials.list(alice),
        () => store.flow.recent(1),
        () => store.memory.prune(0),
        () => store.memory.list('sent', 0, { limit: 1 }),
        () => Array.fromAsync(store.check()),
      ]
      for (const verb of verbs) await expect(verb()).rejects.toEqual(refusal('unavailable'))
    })
  })
}

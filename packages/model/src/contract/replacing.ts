/** The contract of replace: a message comes and another goes, in one. */
import { describe, expect } from 'vitest'
import { mailboxId, uid } from '../ids.ts'
import { sampleMessage } from '../testing/sample-message.ts'
import type { OpenEngine } from './engine.ts'
import {
  append,
  cursor,
  fetched,
  flagsIn,
  inboxOf,
  letter,
  octets,
  refusal,
  replace,
  sentOf,
  uidsIn,
  worldTest,
} from './engine.ts'

export function describeReplacing(open: OpenEngine): void {
  describe('replace', () => {
    describeInPlace(open)
    describeQuota(open)
    describeRefused(open)
  })
}

function describeInPlace(open: OpenEngine): void {
  const it = worldTest(open)

  it('gives the new message the next UID, and says what has gone', async (world) => {
    const { mail } = world.store
    const inbox = await inboxOf(world)
    await append(world, inbox, { flags: ['\\Draft'] }, {})
    const since = await cursor(world, inbox)
    const { appended, expunged } = await replace(world, inbox, 1, { text: letter('anew'), flags: ['\\Draft', '$k'] })
    expect(appended.uids.toString()).toBe('3')
    expect(appended.uidValidity).toBe((await mail.mailbox(inbox))?.uidValidity)
    expect(expunged.uids.toString()).toBe('1')
    expect(expunged.modSeq).toBe(await cursor(world, inbox))
    expect(await flagsIn(world, inbox)).toEqual({ 2: [], 3: ['$k', '\\Draft'] })
    const changes = await mail.changesSince(inbox, since)
    expect([[...changes.uids], changes.vanished.toString()]).toEqual([[3], '1'])
    expect((await fetched(world, inbox, { index: ['baseSubject'] })).at(-1)?.index?.baseSubject).toBe('anew')
  })

  it('takes it out of one mailbox and puts the new one into another', async (world) => {
    const [inbox, sent] = [await inboxOf(world), await sentOf(world)]
    await append(world, inbox, {}, {})
    const { appended } = await replace(world, inbox, 2, {}, sent)
    expect(appended.uidValidity).toBe((await world.store.mail.mailbox(sent))?.uidValidity)
    expect([await uidsIn(world, inbox), await uidsIn(world, sent)]).toEqual([[1], [1]])
  })

  it('keeps what goes readable for who has pinned the mailbox', async (world) => {
    const inbox = await inboxOf(world)
    await append(world, inbox, { text: letter('before') })
    using _ = world.store.mail.pin(inbox)
    await replace(world, inbox, 1, { text: letter('after') })
    const subjects = (await fetched(world, inbox, { index: ['baseSubject'] })).map((row) => row.index?.baseSubject)
    expect(subjects).toEqual(['before', 'after'])
  })
}

function describeQuota(open: OpenEngine): void {
  const it = worldTest(open)

  it('lets a full account replace by what is no larger, and changes nothing by what is', async (world) => {
    const { store, alice } = world
    const inbox = await inboxOf(world)
    const size = letter().length
    await append(world, inbox, {}, {})
    await store.directory.updateAccount(alice, { quota: size })
    await replace(world, inbox, 1, {})
    await expect(replace(world, inbox, 3, { text: `${letter()}more` })).rejects.toEqual(refusal('over-quota'))
    expect(await uidsIn(world, inbox)).toEqual([2, 3])
    await replace(world, inbox, 3, { text: letter('hi') }, await sentOf(world))
    expect(await uidsIn(world, inbox)).toEqual([2])
  })

  it('counts the whole message where it comes into the mailbox of another', async (world) => {
    const { store, bob } = world
    const [inbox, others] = [await inboxOf(world), await inboxOf(world, bob)]
    await append(world, inbox, {})
    await append(world, others, {})
    await store.directory.updateAccount(bob, { quota: letter().length })
    await expect(replace(world, inbox, 1, {}, others)).rejects.toEqual(refusal('over-quota'))
    expect([await uidsIn(world, inbox), await uidsIn(world, others)]).toEqual([[1], [1]])
  })
}

function describeRefused(open: OpenEngine): void {
  const it = worldTest(open)

  it('refuses where the message is gone, or a mailbox, and lets go of the content', async (world) => {
    const { mail } = world.store
    const [inbox, nowhere] = [await inboxOf(world), mailboxId(999_999)]
    await append(world, inbox, {})
    for (const [from, gone, to, reason] of [
      [inbox, 7, inbox, 'no-such-message'],
      [nowhere, 1, inbox, 'no-such-mailbox'],
      [inbox, 1, nowhere, 'no-such-mailbox'],
    ] as const) {
      const message = await sampleMessage(mail, letter())
      const appending = { message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }
      await expect(mail.replace(from, uid(gone), to, appending)).rejects.toEqual(refusal(reason))
      await expect(octets(message.content.read())).rejects.toThrow()
    }
    expect(await uidsIn(world, inbox)).toEqual([1])
  })
}

/** MailStore, second part: mailboxes by name. */
import { type MailboxId, type MailStore, mailboxName } from '@pennypost/model'
import { inBackground } from '../background.ts'
import type { Engine } from '../engine.ts'
import { noSuchMailbox, readMailbox, readMailboxByName, readMailboxes, readSubscriptions } from '../reader/mailboxes.ts'
import { readViewed } from '../reader/viewers.ts'

export type Mailboxes = Pick<
  MailStore,
  | 'mailboxes'
  | 'mailbox'
  | 'mailboxByName'
  | 'createMailbox'
  | 'renameMailbox'
  | 'setSpecialUse'
  | 'deleteMailbox'
  | 'subscriptions'
  | 'subscribe'
>

/** Mailboxes by name. */
export function createMailboxes(engine: Engine): Mailboxes {
  const { reader, writer, clock, pins } = engine
  return {
    async mailboxes(account) {
      return readMailboxes(reader, account)
    },
    async mailbox(id, viewer) {
      return readViewed(reader, () => readMailbox(reader, id), viewer)
    },
    async mailboxByName(account, name, viewer) {
      return readViewed(reader, () => readMailboxByName(reader, account, name), viewer)
    },
    async createMailbox(account, name, specialUse) {
      const id = await writer.run('createMailbox', { account, name, specialUse: specialUse ?? null })
      const created = readMailbox(reader, id as MailboxId)
      // Another session was so fast that nothing is left to be told of.
      if (!created) throw noSuchMailbox()
      return created
    },
    async renameMailbox(account, from, to) {
      const rename = (pinned: boolean) => writer.run('renameMailbox', { account, from, to, now: clock.now(), pinned })
      // What is in INBOX goes out of it as by MOVE.
      const inbox = mailboxName(from) === 'INBOX' ? readMailboxByName(reader, account, 'INBOX') : undefined
      await (inbox ? pins.removing(inbox.id, rename) : rename(false))
    },
    async setSpecialUse(account, name, specialUse) {
      await writer.run('setSpecialUse', { account, name, specialUse })
    },
    async deleteMailbox(account, name) {
      await writer.run('deleteMailbox', { account, name })
      reapGraves(engine)
    },
    async subscriptions(account) {
      return readSubscriptions(reader, account)
    },
    async subscribe(account, name, subscribed) {
      await writer.run('subscribe', { account, name, subscribed })
    },
  }
}

/** Takes away, piece by piece, what deleted mailboxes held. */
export function reapGraves(engine: Engine): void {
  const { reader, writer, limits } = engine
  void inBackground(engine, 'reap', async () => {
    while (reader.pluck('SELECT 1 FROM graves').get() !== undefined) await writer.run('reap', limits.messagesPerJob)
  })
}

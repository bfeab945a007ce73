import { type MailboxChanges, type MailboxId, UidSet, uid } from '@pennypost/model'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DialogueClient } from './dialogue/client.ts'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** What happens to a mailbox while SELECT waits for the store. */
describe('SELECT', () => {
  let server: TestServer

  beforeEach(async () => {
    server = await TestServer.start()
    for (const flags of [['\\Seen'], ['\\Seen'], []]) await server.deliver('INBOX', sampleMessage('simple'), flags)
  })

  afterEach(() => server.stop())

  /** One who idles in INBOX. */
  async function idling(open: 'SELECT' | 'EXAMINE'): Promise<DialogueClient> {
    const idler = await server.alice(`${open} INBOX`)
    idler.send(Buffer.from('y IDLE\r\n'))
    await idler.response()
    return idler
  }

  /** One who can resynchronize, and the command with which it does. */
  async function resynchronizing(): Promise<{ selecting: DialogueClient; command: string }> {
    const selecting = await server.alice('ENABLE QRESYNC')
    const validity = /UIDVALIDITY (\d+)/.exec((await selecting.say('STATUS INBOX (UIDVALIDITY)')).join())?.[1]
    return { selecting, command: `SELECT INBOX (QRESYNC (${validity} 1))` }
  }

  /** What happens around the next look at what has changed; those after it are as ever. */
  function atNextLook(
    look: (changes: () => Promise<MailboxChanges>, mailbox: MailboxId) => Promise<MailboxChanges>,
  ): void {
    const { mail } = server.store
    const changesSince = mail.changesSince.bind(mail)
    mail.changesSince = (...args) => {
      mail.changesSince = changesSince
      return look(() => changesSince(...args), args[0])
    }
  }

  test('its responses tell of one state, though others expunge meanwhile', async () => {
    const { mail } = server.store
    // It claims nothing as \\Recent, so the other one has to.
    const idler = await idling('EXAMINE')
    const claim = mail.claimRecent.bind(mail)
    mail.claimRecent = async (mailbox) => {
      const from = await claim(mailbox)
      await mail.expunge(mailbox, UidSet.of(uid(1)), 'all')
      expect(await idler.response()).toBe('* 1 EXPUNGE')
      return from
    }
    const responses = await (await server.alice()).say('SELECT INBOX')
    expect(responses).toContain('* 2 EXISTS')
    expect(responses).toContain('* OK [UNSEEN 2] First unseen message')
  })

  test('what others expunge while it resynchronizes is told with the next command', async () => {
    const { mail } = server.store
    const { selecting, command } = await resynchronizing()
    const idler = await idling('SELECT')
    atNextLook(async (changes, mailbox) => {
      await mail.expunge(mailbox, UidSet.of(uid(1)), 'all')
      expect(await idler.response()).toBe('* 1 EXPUNGE')
      return changes()
    })
    const responses = await selecting.say(command)
    expect(responses).toContain('* 3 EXISTS')
    expect(responses.join()).not.toContain('VANISHED')
    expect(await selecting.say('NOOP')).toContain('* VANISHED 1')
  })

  test('a MODSEQ said while it resynchronizes passed over an expunge that was not told', async () => {
    const { mail } = server.store
    const { selecting, command } = await resynchronizing()
    const idler = await idling('SELECT')
    atNextLook(async (changes, mailbox) => {
      const before = await changes()
      await mail.expunge(mailbox, UidSet.of(uid(1)), 'all')
      expect(await idler.response()).toBe('* 1 EXPUNGE')
      expect(await idler.response()).toBe('* 2 RECENT')
      await mail.updateFlags(mailbox, { uids: UidSet.of(uid(2)), mode: 'add', flags: ['\\Flagged'] })
      expect(await idler.response()).toContain('\\Flagged')
      return before
    })
    const responses = await selecting.say(command)
    const highest = /HIGHESTMODSEQ \d+/.exec(responses.join())?.[0]
    expect(responses.join()).toMatch(/FETCH \(UID 2 FLAGS \([^)]*\\Flagged/)
    expect(responses.at(-2)).toContain(`* OK [${highest}]`)
  })

  test('when it fails, no mailbox is selected and none stays open', async () => {
    const selecting = await server.alice()
    server.store.mail.claimRecent = () => Promise.reject(new Error('disk'))
    expect((await selecting.say('SELECT INBOX')).at(-1)).toMatch(/^x NO \[SERVERBUG\]/)
    expect((await selecting.say('FETCH 1 FLAGS')).at(-1)).toMatch(/^x BAD/)
    expect(server.service.openMailboxes).toBe(0)
  })

  test('when it cannot be resynchronized, no mailbox is selected', async () => {
    const { selecting, command } = await resynchronizing()
    server.store.mail.changesSince = () => Promise.reject(new Error('disk'))
    expect((await selecting.say(command)).at(-1)).toMatch(/^x NO \[SERVERBUG\]/)
    expect((await selecting.say('FETCH 1 FLAGS')).at(-1)).toMatch(/^x BAD/)
    expect(server.service.openMailboxes).toBe(0)
  })
})

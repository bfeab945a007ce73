import { UidSet, uid } from '@pennypost/model'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sampleMessage, TestServer } from './dialogue/server.ts'

/** What stays in memory of mailboxes that nobody has selected any more. */
describe('a mailbox that was left', () => {
  let server: TestServer
  let loads = 0

  beforeEach(async () => {
    server = await TestServer.start()
    const { mail } = server.store
    const snapshot = mail.snapshot.bind(mail)
    loads = 0
    mail.snapshot = (mailbox) => {
      loads++
      return snapshot(mailbox)
    }
    for (let i = 0; i < 3; i++) await server.deliver('INBOX', sampleMessage('simple'))
  })

  afterEach(() => server.stop())

  test('is not loaded again, and current all the same', async () => {
    const one = await server.alice()
    await one.say('SELECT INBOX')
    await one.say('UNSELECT')
    expect(server.service.openMailboxes).toBe(0)
    await server.deliver('INBOX', sampleMessage('simple'))
    const { id } = await server.mailbox('INBOX')
    await server.store.mail.expunge(id, UidSet.of(uid(1)), 'all')
    await server.store.mail.updateFlags(id, { uids: UidSet.of(uid(2)), mode: 'add', flags: ['\\Flagged', 'new'] })
    const selected = await one.say('SELECT INBOX')
    expect(selected).toContain('* 3 EXISTS')
    expect(selected).toContain('* 1 RECENT')
    expect(await one.say('FETCH 1:* (UID FLAGS)')).toEqual([
      '* 1 FETCH (UID 2 FLAGS (\\Flagged new))',
      '* 2 FETCH (UID 3 FLAGS ())',
      '* 3 FETCH (UID 4 FLAGS (\\Recent))',
      'x OK FETCH completed',
    ])
    expect(loads).toBe(1)
  })

  test('tells of the first unseen one, whatever became of it meanwhile', async () => {
    const one = await server.alice()
    const { id } = await server.mailbox('INBOX')
    const unseen = async (): Promise<string | undefined> => {
      const responses = await one.say('SELECT INBOX')
      return responses.map((response) => /UNSEEN (\d+)/.exec(response)?.[1]).find(Boolean)
    }
    const seen = (mode: 'add' | 'remove', number: number) =>
      server.store.mail.updateFlags(id, { uids: UidSet.of(uid(number)), mode, flags: ['\\Seen'] })
    expect(await unseen()).toBe('1')
    await seen('add', 1)
    expect(await unseen()).toBe('2')
    for (const number of [2, 3]) await seen('add', number)
    expect(await unseen()).toBeUndefined()
    await server.deliver('INBOX', sampleMessage('simple'))
    expect(await unseen()).toBe('4')
    await seen('remove', 2)
    expect(await unseen()).toBe('2')
  })

  test.each([
    ['mailboxes', { warmMailboxes: 1 }],
    ['messages', { warmMessages: 4 }],
  ])('makes room when there are too many %s', async (_, limits) => {
    server.options.limits = limits
    for (let i = 0; i < 2; i++) await server.deliver('Archive', sampleMessage('simple'))
    const one = await server.alice()
    for (const name of ['INBOX', 'Archive', 'Archive', 'INBOX']) await one.say(`SELECT ${name}`)
    expect(loads).toBe(3)
  })

  test('is not remembered when it was deleted', async () => {
    const one = await server.alice()
    await one.say('CREATE Old')
    await one.say('SELECT Old')
    await one.say('UNSELECT')
    await one.say('DELETE Old')
    await one.say('CREATE Old')
    await server.deliver('Old', sampleMessage('simple'))
    expect(await one.say('SELECT Old')).toContain('* 1 EXISTS')
  })
})

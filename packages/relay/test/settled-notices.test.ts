/** DSNs about what reception settles itself, to ride in its acceptance. */
import { createJourneyId, type JourneyId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { PostOffice } from './post-office.ts'

/** What reception has told to alice: bob has the letter, and away was refused for a loop. */
const noticesOfLoop = (office: PostOffice, journey: JourneyId, orcpt: string | undefined, diagnostic: string) =>
  office.relay.settledNotices({
    journey,
    acceptedAt: office.clock.now(),
    reversePath: 'alice@one.test',
    envid: undefined,
    requireTls: false,
    header: Buffer.from('Subject: round and round\r\n\r\n'),
    recipients: [
      { forwardPath: 'bob@one.test', orcpt: undefined },
      { forwardPath: 'away@one.test', orcpt, refusal: { status: '5.4.6', diagnostic } },
    ],
  })

test('what reception files is told with its acceptance', async () => {
  await using office = await PostOffice.open()
  const journey = await office.accept()
  const notices = await office.relay.settledNotices({
    journey,
    acceptedAt: office.clock.now(),
    reversePath: 'alice@one.test',
    envid: 'Q7',
    requireTls: false,
    header: Buffer.from('Subject: to myself\r\n\r\n'),
    recipients: [{ forwardPath: 'alice@one.test', orcpt: undefined }],
  })
  await office.store.mail.accept(notices.accept)
  const [notice] = await office.inbox()
  expect(notice).toContain('Action: delivered\r\nStatus: 2.1.5')
  expect(notice).toContain('Original-Envelope-Id: Q7')
  expect(notices.flow).toMatchObject([{ journey, kind: 'dsn', action: 'delivered', to: 'alice@one.test' }])
})

test.each(['', 'nobody@one.test'])('the journey had no word that nobody was to be told: "%s"', async (reversePath) => {
  await using office = await PostOffice.open()
  const journey = createJourneyId(0, office.random)
  const notices = await office.relay.settledNotices({
    journey,
    acceptedAt: 0,
    reversePath,
    envid: undefined,
    requireTls: false,
    header: Buffer.alloc(0),
    recipients: [{ forwardPath: 'alice@one.test', orcpt: undefined }],
  })
  expect(notices).toEqual({
    accept: [],
    flow: [{ journey, at: office.clock.now(), kind: 'dsn', action: 'delivered', to: '', dsn: '' }],
  })
})

test('what reception refuses for a loop, while others have the letter, is told with its acceptance', async () => {
  await using office = await PostOffice.open()
  const journey = await office.accept()
  const diagnostic = '554 5.4.6 mail loop: already forwarded for <away@one.test>'
  const notices = await noticesOfLoop(office, journey, 'rfc822;away@three.test', diagnostic)
  await office.store.mail.accept(notices.accept)
  const told = (await office.inbox()).join('\n')
  expect(told).toMatch(/Final-Recipient: rfc822; bob@one.test\r\nAction: delivered\r\nStatus: 2.1.5/)
  expect(told).toMatch(/Final-Recipient: rfc822; away@one.test\r\nAction: failed\r\nStatus: 5.4.6/)
  expect(told).toContain('Subject: round and round')
  expect(notices.flow).toMatchObject([{ action: 'delivered' }, { action: 'failed' }])
})

test('a success notice left what was staged of it behind where there was no room for the bounce beside it', async () => {
  let discarded = 0
  await using office = await PostOffice.open(({ store }) => {
    let staged = 0
    const stage: typeof store.mail.stage = (...promised) => {
      if (++staged === 2) throw new Error('the file system is full')
      const own = store.mail.stage(...promised)
      const finish = async () => {
        const content = await own.finish()
        const discard = async () => {
          discarded++
          await content.discard()
        }
        return Object.assign(Object.create(content), { discard })
      }
      return Object.assign(Object.create(own), { finish })
    }
    return { store: { ...store, mail: { ...store.mail, stage } } }
  })
  const journey = createJourneyId(0, office.random)
  const notices = noticesOfLoop(office, journey, undefined, '554 5.4.6 mail loop')
  await expect(notices).rejects.toThrow('the file system is full')
  expect(discarded).toBe(1)
})

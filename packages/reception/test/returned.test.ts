/** Bounces that come back are laid beside the messages that they are about. */
import { createJourneyId, type FlowEvent, type JourneyId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { testReception } from './test-reception.ts'

type World = Awaited<ReturnType<typeof testReception>>

async function sent({ store, options: { clock, random } }: World, forwardPath: string): Promise<JourneyId> {
  const journey = createJourneyId(clock.now(), random)
  const at = clock.now()
  const received = { service: 'submission', session: '1', peer: '', reversePath: 'bob@one.test', size: 1 }
  await store.flow.record([
    { journey, at, kind: 'received', ...received, forwardPaths: [forwardPath], messageId: 'm1@one.test' },
    { journey, at, kind: 'delivered', forwardPath, host: 'mx.two.test', reply: '250 2.0.0 ok' },
  ])
  return journey
}

const report = (recipient: string, messageId = '<m1@one.test>'): string =>
  [
    'From: <mailer-daemon@two.test>\nMIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\n',
    '--b\n\nSorry.',
    `--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.two.test\n\nFinal-Recipient: rfc822; ${recipient}\nAction: failed\nStatus: 5.2.1\nDiagnostic-Code: smtp; 550 5.2.1 gone\n`,
    `--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: ${messageId}\nSubject: x\n`,
    '--b--\n',
  ]
    .join('\n')
    .replaceAll('\n', '\r\n')

async function bring(world: World, from: string, content: string): Promise<void> {
  const client = world.connect()
  await client.until(/^220 /m)
  client.say('EHLO mx.two.test\r\n')
  await client.until(/^250 /m)
  client.say(`MAIL FROM:<${from}>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n`)
  await client.until(/^354 /m)
  client.say(content, '.\r\n')
  await client.until(/queued as/)
}

const returned = async ({ store }: World, journey: JourneyId): Promise<FlowEvent[]> =>
  ((await store.flow.journey(journey))?.events ?? []).filter(({ kind }) => kind === 'returned')

test('a bounce is told in the journey of its message, and in its own', async () => {
  const world = await testReception()
  const journey = await sent(world, 'carol@two.test')
  await bring(world, '', report('Carol@two.test'))
  const [event] = await returned(world, journey)
  expect(event).toMatchObject({ forwardPath: 'Carol@two.test', by: 'mx.two.test', action: 'failed', status: '5.2.1' })
  const own = (await world.store.flow.recent(2)).find((id) => id !== journey)
  const events = (await world.store.flow.journey(own!))?.events ?? []
  expect(events).toContainEqual(expect.objectContaining({ kind: 'about', about: journey }))
})

test('a report that names its recipient a thousand times was a thousand events', async () => {
  const world = await testReception()
  const journey = await sent(world, 'carol@two.test')
  const about = '\r\nFinal-Recipient: rfc822; carol@two.test\r\nAction: failed\r\nStatus: 5.2.1\r\n'
  await bring(
    world,
    '',
    report('carol@two.test').replace('\r\n--b\r\nContent-Type: text/rfc', `${about.repeat(900)}$&`),
  )
  expect(await returned(world, journey)).toHaveLength(1)
})

test('a journey grew with each bounce that somebody forged about it, and was read whole for the next', async () => {
  const world = await testReception()
  const journey = await sent(world, 'carol@two.test')
  for (let at = 0; at < 12; at++) await bring(world, '', `Subject: ${at}\r\n${report('Carol@two.test')}`)
  expect(await returned(world, journey)).toHaveLength(10)
  expect(await world.messages()).toBe(12)
})

test.each([
  ['of a message that nobody here sent', '', report('carol@two.test', '<other@one.test>')],
  ['about a recipient that the message did not have', '', report('mallory@two.test')],
  ['that is no bounce, for it has a sender', 'mallory@two.test', report('carol@two.test')],
  ['that is damaged', '', report('carol@two.test').replace('Final-Recipient', 'Final')],
])('a report %s is mail as any other', async (_, from, content) => {
  const world = await testReception()
  const journey = await sent(world, 'carol@two.test')
  await bring(world, from, content)
  expect(await returned(world, journey)).toEqual([])
  expect(await world.messages()).toBe(1)
  expect(world.errors).toEqual([])
})

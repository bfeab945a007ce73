/** What the store or the client does at the worst moment. Nothing may be lost, left behind, or reach the process. */
import { type ContentStage, StoreError } from '@pennypost/model'
import { expect, it } from 'vitest'
import { testReception, turns } from './test-reception.ts'

type Host = Awaited<ReturnType<typeof testReception>>

/** Changes what the store stages; counts what is open. */
function staging(host: Host, change: (stage: ContentStage) => Partial<ContentStage>) {
  const counts = { discarded: 0 }
  const stage = host.store.mail.stage.bind(host.store.mail)
  host.store.mail.stage = () => {
    const made = stage()
    const discard = (): Promise<void> => {
      counts.discarded++
      return made.discard()
    }
    return { write: (chunk) => made.write(chunk), finish: () => made.finish(), discard, ...change(made) }
  }
  return counts
}

const content = 'Subject: x\r\n\r\ntext\r\n.\r\n'

it('a store that cannot stage is 451, and the session goes on', async () => {
  const host = await testReception()
  const { mail } = host.store
  const stage = mail.stage.bind(mail)
  mail.stage = () => {
    throw new Error('no file')
  }
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\nDATA\r\n')
  await client.until(/^451 4\.3\.0 /m)
  mail.stage = stage
  client.say('DATA\r\n')
  await client.until(/^354 /m)
  client.say(content)
  await client.until(/^250 2\.0\.0 Ok: queued/m)
  expect(host.errors).toEqual(['command failed'])
})

it('a chunk for which nothing could be staged was read as commands', async () => {
  const host = await testReception()
  host.store.mail.stage = () => {
    throw new Error('no file')
  }
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<bob@one.test>\r\n')
  client.say('BDAT 6\r\nVRFY\r\nBDAT 6 LAST\r\nVRFY\r\nNOOP\r\n')
  expect((await client.until(/^250 2\.0\.0 Ok\r\n/m)).slice(-3)).toEqual([
    '451 4.3.0 Local error, try again later',
    '503 5.5.1 MAIL first',
    '250 2.0.0 Ok',
  ])
})

it.each([
  ['write', { write: () => Promise.reject(new Error('disk')) }],
  ['finish', { finish: () => Promise.reject(new Error('disk')) }],
])('a %s that fails is 451, and what was staged is gone', async (_what, change) => {
  const host = await testReception()
  const counts = staging(host, () => change)
  const client = host.connect()
  await client.beginData()
  client.say(content, 'NOOP\r\n')
  await client.until(/^451 4\.3\.0 [\s\S]*^250 2\.0\.0 Ok\r\n/m)
  expect(counts.discarded).toBe(1)
  expect(await host.messages()).toBe(0)
})

it('a fault of ours in the midst of content was left to the process, and the client without a reply', async () => {
  const host = await testReception()
  const counts = staging(host, () => ({
    write() {
      throw new Error('a fault')
    },
  }))
  const client = host.connect()
  await client.beginData()
  client.say('Subject: half\r\n')
  await client.until(/^421 4\.3\.0 /m)
  client.stream.end()
  await turns()
  expect(host.listener.open).toBe(0)
  expect(counts.discarded).toBe(1)
  expect(host.errors).toEqual(['command failed'])
})

it('a full disk is 452', async () => {
  const host = await testReception()
  host.store.mail.accept = () => Promise.reject(new StoreError('no-room', 'full'))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await client.until(/^452 4\.3\.1 /m)
})

it('a stranger who announced large mail and sent none kept the disk from everybody', async () => {
  const host = await testReception()
  const { mail } = host.store
  let left = 10_000_000
  mail.reserve = (octets) => {
    if (octets > left) return undefined
    left -= octets
    return { [Symbol.dispose]: () => void (left += octets) }
  }
  const announce = async (octets: number): Promise<string | undefined> => {
    const client = host.connect()
    client.say('EHLO client.test\r\n', `MAIL FROM:<a@two.test> SIZE=${octets}\r\n`)
    return (await client.until(/^(?:250 2\.1\.0|452) .*\r\n/m)).at(-1)
  }
  expect(await announce(9_000_000)).toMatch(/^250 /)
  expect(await announce(9_000_000)).toMatch(/^250 /)
  expect(await announce(11_000_000)).toMatch(/^452 4\.3\.1 /)
  expect(left).toBeGreaterThan(9_000_000)
})

it('a discard that fails is logged, whoever it is for', async () => {
  const host = await testReception()
  staging(host, () => ({ discard: () => Promise.reject(new Error('disk')) }))
  const client = host.connect()
  await client.beginData()
  client.say('Subject: half')
  await turns()
  client.stream.resetAndDestroy()
  await turns()
  expect(host.errors).toEqual(['discarding content failed'])
})

it('a client that leaves during content leaves nothing', async () => {
  const host = await testReception()
  const counts = staging(host, () => ({}))
  const client = host.connect()
  await client.beginData()
  client.say('Subject: half')
  await turns()
  client.stream.destroy()
  await turns()
  expect(counts.discarded).toBe(1)
  expect(host.listener.open).toBe(0)
  expect(host.waits.nextTimerAt()).toBeUndefined()
})

it('a client that is reset while content waits for the disk leaves nothing', async () => {
  const host = await testReception()
  const disk = Promise.withResolvers<void>()
  const counts = staging(host, () => ({ write: () => disk.promise }))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  // The client is not the slow one: its time does not run.
  await host.waits.advance(20 * 60_000)
  expect(client.closed).toBe(false)
  client.stream.resetAndDestroy()
  await turns()
  disk.resolve()
  await turns()
  expect(counts.discarded).toBe(1)
  expect(await host.messages()).toBe(0)
  expect(host.errors).toEqual([])
})

it('a client that leaves before the commit begins has stored nothing', async () => {
  const host = await testReception()
  const staged = Promise.withResolvers<void>()
  staging(host, (made) => ({ finish: () => staged.promise.then(() => made.finish()) }))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  client.stream.resetAndDestroy()
  await turns()
  staged.resolve()
  await turns()
  expect(await host.messages()).toBe(0)
  expect(host.errors).toEqual([])
})

it('a client that leaves during the commit leaves it unconfirmed, and the same again is the same', async () => {
  const host = await testReception()
  const { mail } = host.store
  const accept = mail.accept.bind(mail)
  const disk = Promise.withResolvers<void>()
  mail.accept = async (acceptances) => {
    const accepted = await accept(acceptances)
    await disk.promise
    return accepted
  }
  const first = host.connect()
  await first.beginData()
  first.say(content)
  await turns()
  first.stream.resetAndDestroy()
  await turns()
  disk.resolve()
  await turns()
  const second = host.connect()
  await second.beginData()
  second.say(content)
  const replies = await second.until(/^250 2\.0\.0 Ok: queued/m)
  expect(await host.messages()).toBe(1)
  const [journey] = await host.store.flow.recent(1)
  expect(replies.at(-1)).toContain(journey)
  const events = (await host.store.flow.journey(journey!))!.events.map(({ kind }) => kind)
  expect(events).toContain('unconfirmed')
  expect(events).toContain('repeated')
})

it('an own slow commit is no idle client', async () => {
  const host = await testReception()
  const { mail } = host.store
  const accept = mail.accept.bind(mail)
  const disk = Promise.withResolvers<void>()
  mail.accept = (acceptances) => disk.promise.then(() => accept(acceptances))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  await host.waits.advance(2 * 60 * 60_000)
  expect(client.closed).toBe(false)
  disk.resolve()
  await client.until(/^250 2\.0\.0 Ok: queued/m)
})

it('what we took for a commit was counted against the client that came next to speak', async () => {
  const host = await testReception()
  const { mail } = host.store
  const accept = mail.accept.bind(mail)
  const disk = Promise.withResolvers<void>()
  mail.accept = (acceptances) => disk.promise.then(() => accept(acceptances))
  const client = host.connect()
  await client.beginData()
  client.say(content)
  await turns()
  await host.waits.advance(3 * 60_000 - 1000)
  disk.resolve()
  await client.until(/^250 2\.0\.0 Ok: queued/m)
  await host.waits.advance(5 * 60_000 - 1000)
  expect(client.closed).toBe(false)
})

it('a disk that took nothing for minutes was taken for content that comes slowly', async () => {
  const host = await testReception()
  const disk = Promise.withResolvers<void>()
  staging(host, (made) => ({ write: (chunk) => disk.promise.then(() => made.write(chunk)) }))
  const client = host.connect()
  await client.beginData()
  client.say(`Subject: ${'x'.repeat(200)}\r\n\r\n`)
  await turns()
  for (const time of [host.clock, host.waits]) await time.advance(3 * 60_000 - 1000)
  disk.resolve()
  await turns()
  await host.waits.advance(2000)
  client.say('text\r\n.\r\n')
  await client.until(/^250 2\.0\.0 Ok: queued/m)
})

it('a refused journey record is logged and no more', async () => {
  const host = await testReception()
  host.store.flow.record = () => Promise.reject(new Error('disk'))
  const client = host.connect()
  client.say('EHLO client.test\r\nMAIL FROM:<a@two.test>\r\nRCPT TO:<nobody@one.test>\r\nNOOP\r\n')
  await client.until(/^550 5\.1\.1 [\s\S]*^250 2\.0\.0 Ok\r\n/m)
  expect(host.errors).toEqual(['journey failed'])
})

/** Mail through the clients that npm has: what one program sends, the others read octet by octet. */
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { eventually, type Instance, startInstance } from '../e2e/instance.ts'
import { contents, deliver, letter, openImap, openPop3, subjects } from './readers.ts'

const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['alice', 'bob'] })
const bob = 'bob@one.test'

const odd: readonly (readonly [what: string, content: Buffer])[] = [
  ['octets beyond ASCII', Buffer.from('From: x@elsewhere.test\r\nSubject: \xe4\r\n\r\n\xff\xfe\x01\r\n', 'latin1')],
  ['lines of dots', Buffer.from('Subject: dots\r\n\r\n.\r\n..\r\n...\r\n.x\r\n')],
  ['a body line of 200 000 octets', Buffer.from(`Subject: long\r\n\r\n${'y'.repeat(200_000)}\r\n`)],
  ['a field of 50 000 octets', Buffer.from(`Subject: ${'z'.repeat(50_000)}\r\n\r\nb\r\n`)],
  ['no body', Buffer.from('Subject: no body\r\n')],
  ['no header section', Buffer.from('\r\njust a body\r\n')],
  ['a body that begins as an mbox does', Buffer.from('Subject: from\r\n\r\nFrom x@y Mon Nov 23\r\nFrom here\r\n')],
  [
    'a multipart that never ends',
    Buffer.from(
      'Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: in',
    ),
  ],
]

it('odd letters are read as they were sent, and sized as they are read', async () => {
  await using at = await start()
  for (const [, content] of odd) await deliver(at, bob, content)
  await using session = await openImap(at, bob)
  const read = await contents(session)
  const sizes = await session.client.fetchAll('1:*', { size: true })
  expect(sizes.map(({ size }) => size)).toEqual(read.map(({ length }) => length))
  for (const [index, [what, content]] of odd.entries()) {
    const sent = content.subarray(-2).equals(Buffer.from('\r\n'))
      ? content
      : Buffer.concat([content, Buffer.from('\r\n')])
    expect(read[index]?.subarray(-sent.length).equals(sent), what).toBe(true)
  }
  const pop3 = openPop3(at, bob)
  const listed = (await pop3.LIST()) as string[][]
  await pop3.QUIT()
  expect(listed.map(([, size]) => Number(size))).toEqual(read.map(({ length }) => length))
})

it('a letter with NUL is refused for good, and the session goes on', async () => {
  await using at = await start()
  // To nodemailer's LMTP the one reply for all recipients is a response like any other.
  expect(await deliver(at, bob, 'Subject: nul\r\n\r\na\0b\r\n')).toMatch(/^550 5\.6\.0 /)
  expect(await deliver(at, bob, letter('after'))).toMatch(/^250 /)
})

it('what one session expunges, files or flags, the other on the same mailbox sees', async () => {
  await using at = await start()
  for (const subject of ['first', 'second', 'third']) await deliver(at, bob, letter(subject))
  await using mine = await openImap(at, bob)
  await using other = await openImap(at, bob)
  const seen: string[] = []
  other.client.on('expunge', ({ seq }) => seen.push(`expunge ${seq}`))
  other.client.on('exists', ({ count }) => seen.push(`exists ${count}`))
  other.client.on('flags', ({ seq, flags }) => seen.push(`flags ${seq} ${[...(flags ?? [])]}`))
  await mine.client.messageFlagsAdd('3', ['\\Flagged'])
  await mine.client.messageDelete('1')
  await mine.client.append('INBOX', letter('fourth'))
  await other.client.noop()
  expect(seen).toContain('expunge 1')
  expect(seen.some((event) => /^flags [23] .*\\Flagged/.test(event))).toBe(true)
  expect(seen.filter((event) => event.startsWith('exists'))).toEqual(['exists 3'])
  expect(await subjects(other)).toEqual(['second', 'third', 'fourth'])
  expect(await subjects(mine)).toEqual(['second', 'third', 'fourth'])
})

it('IDLE tells of a letter as it is filed', async () => {
  await using at = await start()
  await using session = await openImap(at, bob)
  const counts: number[] = []
  session.client.on('exists', ({ count }) => counts.push(count))
  const idling = session.client.idle()
  await deliver(at, bob, letter('now'))
  await eventually(async () => (counts.includes(1) ? true : undefined), 'EXISTS while idle')
  await session.client.noop()
  await idling
  expect(await subjects(session)).toEqual(['now'])
})

it('mailboxes are made, renamed, subscribed and removed, with names of any script', async () => {
  await using at = await start()
  await using session = await openImap(at, bob)
  const { client } = session
  const paths = async (): Promise<string[]> => (await client.list()).map(({ path }) => path)
  await client.mailboxCreate('Entwürfe & Co')
  await client.mailboxCreate(['日本', '東京'])
  await client.mailboxRename('日本', 'Japan')
  await client.mailboxSubscribe('Japan/東京')
  expect(await paths()).toEqual(expect.arrayContaining(['Entwürfe & Co', 'Japan', 'Japan/東京']))
  await client.append('Japan/東京', letter('there'), ['\\Seen'])
  expect(await client.status('Japan/東京', { messages: true, unseen: true })).toMatchObject({ messages: 1, unseen: 0 })
  await client.mailboxDelete('Japan/東京')
  expect(await paths()).not.toContain('Japan/東京')
  const uses = (await client.list()).flatMap(({ specialUse }) => specialUse ?? [])
  expect(uses).toEqual(expect.arrayContaining(['\\Sent', '\\Trash', '\\Junk', '\\Drafts', '\\Archive', '\\Inbox']))
})

it('thousands of letters: listed, searched, moved and fetched', async () => {
  await using at = await start()
  const count = 2000
  const lanes = Array.from({ length: 6 }, async (_, lane) => {
    const pool = createTransport({
      pool: true,
      maxConnections: 1,
      maxMessages: 300,
      host: '127.0.0.1',
      port: at.port('lmtp'),
      lmtp: true,
      ignoreTLS: true,
    })
    for (let index = lane; index < count; index += 6) {
      await pool.sendMail({ envelope: { from: 'x@elsewhere.test', to: bob }, raw: letter(`bulk ${index}`) })
    }
    pool.close()
  })
  await Promise.all(lanes)
  await using session = await openImap(at, bob)
  const { client } = session
  expect(new Set(await subjects(session)).size).toBe(count)
  expect(await client.search({ subject: 'bulk 1999' })).toHaveLength(1)
  const moved = await client.messageMove('1:1000', 'Archive')
  if (!moved) throw new Error('nothing was moved')
  expect(moved.uidMap?.size).toBe(1000)
  expect(await client.status('INBOX', { messages: true })).toMatchObject({ messages: 1000 })
  expect((await contents(session)).length).toBe(1000)
  await client.messageDelete('1:*')
  const pop3 = openPop3(at, bob)
  expect(await pop3.STAT()).toBe('0 0')
  await pop3.QUIT()
})

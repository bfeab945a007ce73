/** Content that is too large to stay in memory comes out as it went in, whatever its chunks were cut into on the way. */
import { randomBytes } from 'node:crypto'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { contents, deliverOctets, openImap, openPop3, retrieve } from './readers.ts'

const start = (): Promise<Instance> => startInstance({ domain: 'one.test', accounts: ['alice', 'bob'] })
const bob = 'bob@one.test'
/** Whether `read` is `sent` behind what the server put before it; not `toEqual`, which would print both. */
const endsWith = (read: Buffer | undefined, sent: Buffer): boolean => read?.subarray(-sent.length).equals(sent) === true

it('45 MB that nodemailer submits come out of IMAP and POP3 octet by octet', async () => {
  await using at = await start()
  const lines =
    randomBytes(33_000_000)
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  const raw = Buffer.from(`From: alice@one.test\r\nSubject: huge\r\n\r\n${lines.join('\r\n')}\r\n`)
  const body = raw.subarray(raw.indexOf('\r\n\r\n') + 4)
  expect(raw.length).toBeGreaterThan(45_000_000)
  const transport = createTransport({
    host: '127.0.0.1',
    port: at.port('submissions'),
    secure: true,
    tls: { rejectUnauthorized: false },
    auth: { user: 'alice@one.test', pass: 'secret' },
  })
  await transport.sendMail({ envelope: { from: 'alice@one.test', to: bob }, raw })
  transport.close()
  await using session = await openImap(at, bob)
  const [byImap] = await contents(session)
  expect(endsWith(byImap, body)).toBe(true)
  const pop3 = openPop3(at, bob)
  const byPop3 = await retrieve(pop3, 1)
  await pop3.QUIT()
  expect(byPop3.equals(byImap ?? Buffer.alloc(0))).toBe(true)
})

it.each([
  ['every line begins with a dot', '.', '\r\n'],
  ['every line ends with a bare LF', '', '\n'],
  ['every line has a bare CR', '\r', '\r\n'],
])('half a megabyte in which %s is read as it was sent', async (_, before, after) => {
  await using at = await start()
  const lines = Array.from({ length: 400 }, (_, index) => `${before}${index} ${'x'.repeat(1200 + index)}${after}`)
  const raw = Buffer.from(`Subject: mended\r\n\r\n${lines.join('')}end\r\n`)
  // Not by nodemailer, which mends line ends itself.
  const wire = raw.toString().replaceAll(/^\./gm, '..')
  expect(await deliverOctets(at, bob, wire)).toMatch(/^250 /)
  await using session = await openImap(at, bob)
  const [read] = await contents(session)
  const sent = raw
    .toString()
    .replaceAll(/\r(?!\n)/g, ' ')
    .replaceAll(/\r?\n/g, '\r\n')
  expect(endsWith(read, Buffer.from(sent))).toBe(true)
})

/** Letters to and from the MTAs of other makers: Postfix and Exim, as they are packaged. */
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createZoneServer, zone } from '@pennypost/dns'
import { journeyId, systemDeadline } from '@pennypost/model'
import { createTransport } from 'nodemailer'
import { describe, expect, it } from 'vitest'
import { eventually, type Instance, startInstance } from '../e2e/instance.ts'
import { inbox, submit } from '../e2e/letters.ts'
import { type ForeignMta, type ForeignMtaOptions, hasExim, hasPostfix, startExim, startPostfix } from './foreign-mta.ts'
import { makeHome } from './programs.ts'

const alice = 'alice@one.test'
const bob = 'bob@two.test'

/** What the two say to each other on loopback, with DNS between them. */
async function withPeer(
  start: (options: ForeignMtaOptions) => Promise<ForeignMta>,
  play: (one: Instance, peer: ForeignMta, port: number) => Promise<void>,
): Promise<void> {
  using home = makeHome()
  // The daemons give up root before they go into it.
  chmodSync(home.path, 0o755)
  const mx = [
    ['@', 'MX', '10 mail'],
    ['mail', 'A', '127.0.0.1'],
  ] as const
  await using zones = await createZoneServer({
    zones: [zone('one.test', mx), zone('two.test', mx)],
    address: '127.0.0.1',
    port: 0,
    deadline: systemDeadline,
  })
  const port = await freePort()
  const relay = `[dns]\nservers = ["127.0.0.1:${zones.port}"]\n[relay]\nport = ${port}\nretry = ["1s"]\n`
  await using one = await startInstance({ domain: 'one.test', accounts: ['alice'], toml: relay })
  const directory = join(home.path, 'peer')
  mkdirSync(directory)
  await using peer = await start({ directory, port, peer: one.port('smtp') })
  await play(one, peer, port)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Bob writes at his server, which lets neighbours on loopback send. */
function write(port: number, letters: readonly { to: string; text: string }[]): Promise<unknown> {
  const transport = createTransport({ host: '127.0.0.1', port, ignoreTLS: true, pool: true, maxConnections: 3 })
  const sent = letters.map(({ to, text }) => transport.sendMail({ from: bob, to, subject: 'a word', text }))
  return Promise.all(sent).finally(() => transport.close())
}

const some = <T>(found: readonly T[], count = 1) => (found.length >= count ? found : undefined)
const long = 'Grüße, and a line that begins with dots:\n..\n.\n'.repeat(4000)
const patienceMs = 60_000

describe.each([
  ['Postfix', startPostfix, hasPostfix],
  ['Exim', startExim, hasExim],
] as const)(
  '%s',
  (name, start, isThere) => {
    const needs = `(needs ${name} and root)`

    it.skipIf(!isThere)(`takes what we send, and its refusal comes back as a bounce ${needs}`, async () => {
      await withPeer(start, async (one, peer) => {
        const id = await submit(one, alice, bob, 'hello')
        const [letter] = await eventually(async () => some(peer.inbox()), `${name} files the letter`, patienceMs)
        expect(letter).toMatch(/^Subject: hello\r?$/m)
        // It may be filed there before it is settled here.
        await eventually(async () => {
          const { events = [] } = (await one.server.store.flow.journey(journeyId(id))) ?? {}
          return events.find(({ kind }) => kind === 'delivered')
        }, 'the journey says that it was delivered')
        await submit(one, alice, 'nobody@two.test', 'who are you')
        const [bounce] = await eventually(async () => some(await inbox(one, alice)), 'the bounce comes', patienceMs)
        expect(bounce).toMatch(/^Action: failed\r$/m)
        expect(bounce).toMatch(/^Final-Recipient: rfc822;\s?nobody@two\.test\r$/m)
        expect(bounce).toMatch(/^Diagnostic-Code: smtp;\s?550/m)
      })
    })

    it.skipIf(!isThere)(`brings its letters, long ones too, and gets our refusal back ${needs}`, async () => {
      await withPeer(start, async (one, peer, port) => {
        const texts = ['short', long, ...Array.from({ length: 18 }, (_, nth) => `letter ${nth}`)]
        await write(
          port,
          texts.map((text) => ({ to: alice, text })),
        )
        const letters = await eventually(
          async () => some(await inbox(one, alice), texts.length),
          'all arrive',
          patienceMs,
        )
        expect(letters).toHaveLength(texts.length)
        expect(letters.every((letter) => /^Received: from mail\.two\.test/m.test(letter))).toBe(true)
        expect(letters.filter((letter) => letter.length > 150_000)).toHaveLength(1)
        await write(port, [{ to: 'nobody@one.test', text: 'who are you' }])
        const [bounce] = await eventually(async () => some(peer.inbox()), 'the bounce comes', patienceMs)
        expect(bounce).toMatch(/550.5\.1\.1/)
      })
    })

    it.skipIf(!isThere)(`tells of somebody behind an address, and it is laid beside the message ${needs}`, async () => {
      await withPeer(start, async (one) => {
        const id = await submit(one, alice, 'team@two.test', 'all of you')
        const returned = await eventually(async () => {
          const { events = [] } = (await one.server.store.flow.journey(journeyId(id))) ?? {}
          return events.find(({ kind }) => kind === 'returned')
        }, 'the bounce is in the journey of the message')
        expect(returned).toMatchObject({ by: 'mail.two.test', action: 'failed' })
      })
    })
  },
  150_000,
)

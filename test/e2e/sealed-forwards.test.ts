/** A stranger's signed letter to an alias goes on over two servers, each of which seals what it has found. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createStaticResolver, createZoneServer, zone } from '@pennypost/dns'
import { createChecker, createSigner, type DkimRecord, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { expect, onTestFinished, test } from 'vitest'
import { eventually, type Instance, startInstance } from './instance.ts'
import { inbox } from './letters.ts'

const never = new AbortController().signal

/** A data directory with a pair of keys for the domain, and what the DNS has to say of them. */
async function withKeys(domain: string): Promise<{ directory: string; records: DkimRecord[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-e2e-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const selectors = [
    { name: 'r', algorithm: 'rsa' },
    { name: 'e', algorithm: 'ed25519' },
  ] as const
  await generateKeys(join(directory, 'data', 'dkim'), domain, selectors)
  return { directory, records: await dkimRecords(join(directory, 'data', 'dkim'), domain) }
}

const zoneOf = (domain: string, records: readonly DkimRecord[]) =>
  zone(domain, [
    ['@', 'MX', '10 mail'],
    ['mail', 'A', '127.0.0.1'],
    ['_dmarc', 'TXT', 'v=DMARC1; p=reject'],
    ...records.map(({ selector, value }) => [`${selector}._domainkey`, 'TXT', value] as const),
  ])

/** Brings a letter as a stranger does: through a proxy, from 203.0.113.5. */
async function bring(at: Instance, sender: string, recipient: string, letter: string): Promise<void> {
  const socket = connect(at.port('smtp'), '127.0.0.1')
  const replies: string[] = []
  createInterface(socket).on('line', (line) => void replies.push(line))
  socket.write('PROXY TCP4 203.0.113.5 127.0.0.1 40000 25\r\n')
  const commands = ['EHLO mail.four.test', `MAIL FROM:<${sender}> BODY=8BITMIME`, `RCPT TO:<${recipient}>`, 'DATA']
  socket.write(commands.map((command) => `${command}\r\n`).join(''))
  await eventually(async () => replies.some((line) => /^354 /.test(line)) || undefined, 'it may send')
  socket.end(`${letter}.\r\nQUIT\r\n`)
  await once(socket, 'close')
  expect(replies.join('\n')).toMatch(/^250 .*queued as/m)
}

async function sealsAt({ server: { store } }: Instance): Promise<string[]> {
  const ids = await store.flow.recent(5)
  const journeys = await Promise.all(ids.map((id) => store.flow.journey(id)))
  const events = journeys.flatMap((journey) => journey?.events ?? [])
  return events.flatMap((event) => (event.kind === 'finding' && event.check === 'arc-seal' ? [event.detail ?? ''] : []))
}

/** one.test and two.test hand on what comes to `out@` there, to two.test and three.test. */
async function openHosts(policy = '') {
  const [one, two, three, four] = await Promise.all(
    ['one.test', 'two.test', 'three.test', 'four.test'].map((domain) => withKeys(domain)),
  )
  const zones = [
    zoneOf('one.test', one!.records),
    zoneOf('two.test', two!.records),
    zoneOf('three.test', three!.records),
    zoneOf('four.test', four!.records),
  ]
  const dns = await createZoneServer({ zones, deadline: systemDeadline })
  const start = async (domain: string, directory: string, next: Instance | undefined, more = '') => {
    const toml = `[dns]\nservers = ["${dns.server}"]\n[relay]\nport = ${next?.port('smtp') ?? 9}\n${more}`
    return startInstance({ domain, accounts: ['bob'], directory, toml })
  }
  const last = await start('three.test', three!.directory, undefined)
  const middle = await start('two.test', two!.directory, last, '[policy]\nexempt = []\n')
  const proxied = '[[listener]]\nservice = "smtp"\naddress = "127.0.0.1"\nport = 0\nproxy = ["127.0.0.1"]\n'
  const first = await start('one.test', one!.directory, middle, `[policy]\n${policy}${proxied}`)
  await first.server.store.directory.putAlias({ address: 'out@one.test', targets: ['out@two.test'] })
  await middle.server.store.directory.putAlias({ address: 'out@two.test', targets: ['bob@three.test'] })
  onTestFinished(async () => {
    for (const host of [first, middle, last, dns]) await host[Symbol.asyncDispose]()
  })
  return { first, middle, last, zones, author: join(four!.directory, 'data', 'dkim') }
}

/** With a signature of its author's domain. */
async function signedLetter(keyDirectory: string, header: string, body: string): Promise<string> {
  const signer = createSigner({ keyDirectory, clock: systemClock, log: silentLog })
  const octets = async function* () {
    yield Buffer.from(body)
  }
  return `${await signer.sign({ domain: 'four.test', header: Buffer.from(header), body: octets })}${header}\r\n${body}`
}

const header = 'From: carol@four.test\r\nTo: out@one.test\r\nSubject: hello,\r\n\tfolded  twice\r\n'
const body = 'Grüße  von\tCarol\r\n\r\n..\r\n\r\n'

test('the last host finds a chain of two good seals, and the signature of the author', async () => {
  const { first, middle, last, zones, author } = await openHosts()
  await bring(
    first,
    'carol@four.test',
    'out@one.test',
    (await signedLetter(author, header, body)).replaceAll('\r\n.', '\r\n..'),
  )
  const letter = await eventually(async () => (await inbox(last, 'bob@three.test'))[0], 'the letter arrives')
  expect(letter).toContain('\r\nARC-Seal: i=2; ')
  expect(letter.replaceAll(/\s+/g, ' ')).toMatch(
    /ARC-Authentication-Results: i=2; mail\.two\.test; .*arc=pass \(i=1 .*\) arc\.sealer=one\.test/,
  )
  expect(letter.replaceAll(/\s+/g, ' ')).toMatch(
    /ARC-Authentication-Results: i=1; mail\.one\.test; .*dkim=pass .*header\.d=four\.test .*dmarc=pass .*arc=none/,
  )

  await using checker = createChecker({
    resolver: createStaticResolver(zones),
    clock: systemClock,
    deadline: systemDeadline,
    log: silentLog,
    hostname: 'mail.three.test',
  })
  const end = letter.indexOf('\r\n\r\n') + 2
  const about = {
    header: Buffer.from(letter.slice(0, end)),
    async *body() {
      yield Buffer.from(letter.slice(end + 2))
    },
    authorDomains: ['four.test'],
  }
  const spf = checker.checkSender({ clientAddress: '127.0.0.1', helo: 'mail.two.test', reversePath: '' }, never)
  const findings = await checker.checkContent(about, spf, never)
  expect(findings).toMatchObject([
    { check: 'dkim', result: 'pass' },
    { check: 'arc', result: 'pass', instance: 2, sealer: 'two.test' },
    { check: 'dmarc', result: 'pass' },
  ])
  expect(await sealsAt(first)).toEqual(['i=1 cv=none, by one.test with the key r'])
  expect(await sealsAt(middle)).toEqual(['i=2 cv=pass, by two.test with the key r'])
})

test('a server that is told to seal nothing leaves the first seal to the next', async () => {
  const { first, last, author } = await openHosts('arc_seal = false\n')
  await bring(first, 'carol@four.test', 'out@one.test', await signedLetter(author, header, 'plain\r\n'))
  const letter = await eventually(async () => (await inbox(last, 'bob@three.test'))[0], 'the letter arrives')
  expect(letter.match(/^ARC-Seal: /gm)).toHaveLength(1)
  expect(letter).toContain('d=two.test; s=r')
  expect(await sealsAt(first)).toEqual([])
})

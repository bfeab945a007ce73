/** ARC sets for what goes on elsewhere of strangers' mail: who seals what, and what it is when nobody does. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStaticResolver, zone } from '@pennypost/dns'
import { createChecker, createSigner, defaultPolicy, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { type QueueEntry, silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, onTestFinished, test } from 'vitest'
import { defaultBudget } from '../src/index.ts'
import { testReception } from './test-reception.ts'

const never = new AbortController().signal
const plain = 'From: a@four.test\r\nSubject: x\r\n\r\nhello\r\n'

/** A host with one.test and two.test, whose keys the DNS knows, small.test without an RSA key, and aliases in all of them. */
async function forwarder() {
  const keyDirectory = mkdtempSync(join(tmpdir(), 'pennypost-seals-'))
  onTestFinished(() => rmSync(keyDirectory, { recursive: true }))
  const rsa = { name: 'r', algorithm: 'rsa' } as const
  await generateKeys(keyDirectory, 'one.test', [rsa])
  await generateKeys(keyDirectory, 'two.test', [rsa])
  await generateKeys(keyDirectory, 'small.test', [{ name: 'e', algorithm: 'ed25519' }])
  const keyOf = async (domain: string) => (await dkimRecords(keyDirectory, domain))[0]?.value ?? ''
  const resolver = createStaticResolver([
    zone('one.test', [['r._domainkey', 'TXT', await keyOf('one.test')]]),
    zone('two.test', [['r._domainkey', 'TXT', await keyOf('two.test')]]),
    zone('bank.test', [['_dmarc', 'TXT', 'v=DMARC1; p=quarantine']]),
  ])
  const clock = virtualClock()
  const checker = createChecker({
    resolver,
    clock,
    deadline: systemDeadline,
    log: silentLog,
    hostname: 'mail.one.test',
  })
  onTestFinished(() => checker[Symbol.asyncDispose]())
  const signer = createSigner({ keyDirectory, clock, log: silentLog })
  const asked: string[][] = []
  const host = await testReception({
    checks: { checker, policy: defaultPolicy, exempt: ['198.51.100.0/24'], ownAddresses: [], ...defaultBudget },
    seal(message) {
      asked.push([...message.domains])
      return signer.seal(message)
    },
  })
  const { directory } = host.store
  for (const name of ['two.test', 'small.test']) {
    await directory.addDomain({ name, kind: 'local', target: '', catchAll: '' })
  }
  await directory.addDomain({ name: 'behind.test', kind: 'relay', target: '192.0.2.99', catchAll: '' })
  for (const domain of ['one', 'two', 'small']) {
    await directory.putAlias({ address: `out@${domain}.test`, targets: [`${domain}@far.test`] })
  }
  /** Brings a letter for these, and gives the last reply to it. */
  const bring = async (recipients: string[], { letter = plain, from = '192.0.2.7', sender = 'a@four.test' } = {}) => {
    const client = host.connect(from)
    client.say(`EHLO client.test\r\nMAIL FROM:<${sender}>\r\n`, ...recipients.map((to) => `RCPT TO:<${to}>\r\n`))
    client.say('DATA\r\n')
    await client.until(/^354 /m)
    client.say(`${letter}.\r\n`)
    return (await client.until(/^354 [\s\S]*^\d{3} /m)).at(-1)
  }
  const queue = async (): Promise<QueueEntry[]> => (await Array.fromAsync(host.store.queue.list({}))).flat()
  const facts = async (): Promise<string[]> => {
    const [id] = await host.store.flow.recent(1)
    const events = (await host.store.flow.journey(id!))?.events ?? []
    return events.flatMap((event) =>
      event.kind === 'finding' && event.check === 'arc-seal' ? [`${event.result}: ${event.detail}`] : [],
    )
  }
  /** What the next hop would find. */
  const chainOf = async ({ message, envelope, recipients }: QueueEntry): Promise<string> => {
    const { header } = (await host.store.mail.message(message))!
    const above = Buffer.from(`${envelope.seal ?? ''}${recipients[0]?.trace ?? ''}`)
    const spf = checker.checkSender({ clientAddress: '192.0.2.7', helo: 'x.test', reversePath: '' }, never)
    const body = () => host.store.mail.readBody(message)
    const about = { header: Buffer.concat([above, header]), body, authorDomains: ['four.test'] }
    const arc = (await checker.checkContent(about, spf, never)).find(({ check }) => check === 'arc')
    return arc?.check === 'arc' ? `${arc.result} ${arc.instance} ${arc.sealer}` : ''
  }
  return { host, keyDirectory, asked, bring, queue, facts, chainOf }
}

test('what an alias sends elsewhere has what was found here under the seal of its domain', async () => {
  const { bring, queue, facts, chainOf, host } = await forwarder()
  expect(await bring(['out@one.test', 'bob@one.test'])).toMatch(/^250 /)
  const [entry, ...more] = await queue()
  expect(more).toEqual([])
  expect(await chainOf(entry!)).toBe('pass 1 one.test')
  const { header } = (await host.store.mail.message(entry!.message))!
  const results = /^Authentication-Results: (.*?)\r\n(?=\S)/ms.exec(header.toString())?.[1]
  expect(results).toContain('mail.one.test;\r\n')
  expect(entry?.envelope.seal).toContain(`\r\nARC-Authentication-Results: i=1; ${results}\r\n`)
  // The letter as it is filed has nothing of it.
  expect(header.toString()).not.toContain('ARC-')
  expect(await facts()).toEqual(['sealed: i=1 cv=none, by one.test with the key r'])
})

test('aliases of several domains seal each for itself, and none tells of the others', async () => {
  const { bring, queue, facts, chainOf } = await forwarder()
  expect(await bring(['out@one.test', 'out@two.test', 'out@small.test'])).toMatch(/^250 /)
  const entries = await queue()
  const found = await Promise.all(
    entries.map(async (entry) => [entry.recipients[0]?.forwardPath, await chainOf(entry)]),
  )
  expect(Object.fromEntries(found)).toEqual({
    'one@far.test': 'pass 1 one.test',
    'two@far.test': 'pass 1 two.test',
    'small@far.test': 'none 0 ',
  })
  for (const { envelope, recipients } of entries) {
    const others = ['one', 'two', 'small'].filter((name) => !recipients[0]?.forwardPath.startsWith(name))
    for (const name of others) expect(envelope.seal ?? '').not.toContain(`d=${name}.test`)
  }
  expect(await facts()).toEqual([
    'sealed: i=1 cv=none, by one.test with the key r',
    'sealed: i=1 cv=none, by two.test with the key r',
    'none: small.test has no RSA key',
  ])
})

test('without a reverse-path, which stays as it is, each alias has the seal of its own domain too', async () => {
  const { bring, queue, chainOf } = await forwarder()
  expect(await bring(['out@one.test', 'out@two.test'], { sender: '' })).toMatch(/^250 /)
  const entries = await queue()
  expect(entries.map(({ envelope }) => envelope.reversePath)).toEqual(['', ''])
  const chains = await Promise.all(entries.map(chainOf))
  expect(chains.sort()).toEqual(['pass 1 one.test', 'pass 1 two.test'])
})

test('a domain that is handed on to a host seals when it has a key', async () => {
  const keyless = await forwarder()
  expect(await keyless.bring(['x@behind.test'])).toMatch(/^250 /)
  expect(await keyless.facts()).toEqual(['none: behind.test has no RSA key'])
  expect((await keyless.queue())[0]?.envelope).not.toHaveProperty('seal')
  const { keyDirectory, bring, queue } = await forwarder()
  await generateKeys(keyDirectory, 'behind.test', [{ name: 'gate', algorithm: 'rsa' }])
  expect(await bring(['x@behind.test'])).toMatch(/^250 /)
  expect((await queue())[0]?.envelope.seal).toContain('d=behind.test; s=gate')
})

test('a key that cannot be read is no reason to refuse what is forwarded', async () => {
  const { bring, queue, facts, keyDirectory } = await forwarder()
  writeFileSync(join(keyDirectory, 'one.test.r.pem'), 'half a key')
  expect(await bring(['out@one.test'])).toMatch(/^250 /)
  expect(await facts()).toEqual([expect.stringMatching(/^none: .*one\.test\.r\.pem cannot be read/)])
  expect((await queue())[0]?.envelope).not.toHaveProperty('seal')
})

test('nobody is asked for a seal of what is only filed, not checked, or not taken', async () => {
  const { asked, bring, host } = await forwarder()
  expect(await bring(['bob@one.test'])).toMatch(/^250 /)
  expect(await bring(['out@one.test'], { from: '198.51.100.7' })).toMatch(/^250 /)
  expect(await bring(['out@one.test'], { letter: 'From: ceo@bank.test\r\n\r\npay\r\n' })).toMatch(/^550 /)
  const account = await host.store.directory.accountByLogin('bob@one.test')
  host.options.trusted = new Map([['192.0.2.8', account!]])
  const own = { from: '192.0.2.8', sender: 'bob@one.test', letter: 'From: bob@one.test\r\n\r\nhello\r\n' }
  expect(await bring(['out@one.test'], own)).toMatch(/^250 /)
  expect(asked).toEqual([])
  expect(await bring(['out@one.test'])).toMatch(/^250 /)
  expect(asked).toEqual([['one.test']])
})

test('where seals are not wanted, mail is forwarded without', async () => {
  const { bring, host, queue, facts } = await forwarder()
  delete host.options.seal
  expect(await bring(['out@one.test'])).toMatch(/^250 /)
  expect((await queue())[0]?.envelope).not.toHaveProperty('seal')
  expect(await facts()).toEqual([])
})

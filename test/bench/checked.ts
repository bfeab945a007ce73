/**
 * What it costs to check strangers' mail: letters of 2 KB over 20 sessions with a signature each (RSA 2048, then Ed25519),
 * SPF, DKIM and DMARC in a DNS server on loopback, all verified, beside the same letters unchecked:
 *
 *     node test/bench/checked.ts [PEER]
 *
 * A proxy header makes the client a stranger. The server is a process of its own; this one is its clients and its DNS.
 * PEER is a file of what another mail server's `up` prints (README): it is sent the same letters in turn and checks none.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createZoneServer, zone } from '@pennypost/dns'
import { createSigner, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { repliesOf } from './replies.ts'
import type { Ask, Ports, Watched } from './server-process.ts'
import { WireClient } from './wire.ts'

const sessions = 20
const each = 100
const keyDirectory = mkdtempSync(join(tmpdir(), 'pennypost-checked-'))
const domains = { rsa: 'rsa.test', ed25519: 'ed.test' } as const

const zones = await Promise.all(
  (['rsa', 'ed25519'] as const).map(async (algorithm) => {
    const domain = domains[algorithm]
    await generateKeys(keyDirectory, domain, [{ name: 's', algorithm }])
    const [key] = await dkimRecords(keyDirectory, domain)
    return zone(domain, [
      ['@', 'A', '203.0.113.5'],
      ['@', 'TXT', 'v=spf1 ip4:203.0.113.5 -all'],
      ['_dmarc', 'TXT', 'v=DMARC1; p=reject'],
      ['s._domainkey', 'TXT', key?.value ?? ''],
    ])
  }),
)
await using dns = await createZoneServer({ zones, deadline: systemDeadline })
const child = fork(new URL('./server-process.ts', import.meta.url), [dns.server], { execArgv: ['--expose-gc'] })
const [ports] = (await once(child, 'message')) as [Ports]

async function ask<Answer>(message: Ask): Promise<Answer> {
  child.send(message)
  const [answer] = await once(child, 'message')
  return answer as Answer
}

const signer = createSigner({ keyDirectory, clock: systemClock, log: silentLog })

async function letter(domain: string, number: number): Promise<Buffer> {
  const header = Buffer.from(
    `From: carol@${domain}\r\nTo: alice@bench.test\r\nSubject: bench ${number}\r\nMessage-ID: <${number}@${domain}>\r\n` +
      'Date: Thu, 26 Nov 2026 09:30:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n',
  )
  const body = Buffer.alloc(
    2048 - header.length,
    'A line of text as people write it, seventy-six characters of it, no less.\r\n',
  )
  body.write('\r\n', body.length - 2)
  const signed = await signer.sign({
    domain,
    header,
    async *body() {
      yield body
    },
  })
  return Buffer.concat([Buffer.from(signed), header, body, Buffer.from('.\r\n')])
}

/** Letters over one session, one after the other. `proxied`: the server is told of a client that it does not know. */
async function deliver(to: Target, recipient: string, domain: string, letters: readonly Buffer[]): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: to.smtp, noDelay: true })
  const reply = repliesOf(socket)
  if (to.proxied) socket.write('PROXY TCP4 203.0.113.5 127.0.0.1 40000 25\r\n')
  await reply('220')
  socket.write(`EHLO ${domain}\r\n`)
  await reply('250')
  for (const content of letters) {
    socket.write(`MAIL FROM:<carol@${domain}>\r\nRCPT TO:<${recipient}>\r\nDATA\r\n`)
    for (const code of ['250', '250', '354']) await reply(code)
    socket.write(content)
    await reply('250')
  }
  socket.end('QUIT\r\n')
}

interface Target {
  smtp: number
  proxied: boolean
  /** They take turns, one for each session. */
  recipients: readonly string[]
}

/** A mail server of somebody else's. */
interface Peer extends Target {
  /** Milliseconds of CPU that it has used so far. */
  cpuMs(): number
  /** Resolves when there is so much in the INBOX of each recipient. */
  filed(messages: number): Promise<void>
}

async function peerOf(file: string): Promise<Peer> {
  const values = new Map(
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  )
  const recipients = Array.from({ length: sessions }, (_, at) => `user${at}@${values.get('DOMAIN')}`)
  const readers = await Promise.all(
    recipients.map((login) => WireClient.open(Number(values.get('IMAP')), login, values.get('PASSWORD') ?? '')),
  )
  return {
    smtp: Number(values.get('SMTP')),
    proxied: false,
    recipients,
    cpuMs: () => cpuOfGroup(values.get('CGROUP') ?? ''),
    async filed(messages) {
      for (const reader of readers) {
        const some = async () => Number(/MESSAGES (\d+)/.exec(await reader.run('STATUS INBOX (MESSAGES)'))?.[1])
        for (let asked = 0; (await some()) < messages; asked++) {
          if (asked === 6000) throw new Error('the peer has not filed all of it in a minute')
          await new Promise((resolve) => systemDeadline.after(10, resolve as () => void))
        }
      }
    },
  }
}

/** Of version 1 or 2. */
function cpuOfGroup(cgroup: string): number {
  const first = join(cgroup, 'cpuacct.usage')
  if (existsSync(first)) return Number(readFileSync(first, 'utf8')) / 1e6
  return Number(/usage_usec (\d+)/.exec(readFileSync(join(cgroup, 'cpu.stat'), 'utf8'))?.[1]) / 1000
}

let number = 0
/** To each of the peer's recipients, on an instance that has just been made. */
let sent = 0

async function lettersFrom(domain: string, count: number): Promise<Buffer[]> {
  const letters: Buffer[] = []
  while (letters.length < sessions * count) letters.push(await letter(domain, ++number))
  return letters
}

/** Sends all letters over the sessions. */
async function deliverAll(to: Target, domain: string, letters: readonly Buffer[]): Promise<void> {
  const count = letters.length / sessions
  await Promise.all(
    Array.from({ length: sessions }, (_, at) => {
      const recipient = to.recipients[at % to.recipients.length] ?? ''
      return deliver(to, recipient, domain, letters.slice(at * count, (at + 1) * count))
    }),
  )
}

async function measure(what: string, domain: string, known: boolean, count: number): Promise<void> {
  const letters = await lettersFrom(domain, count)
  await ask({ ask: 'begin' })
  const to = { smtp: known ? ports.smtp : ports.proxied, proxied: !known, recipients: ['alice@bench.test'] }
  const begun = systemClock.elapsed()
  await deliverAll(to, domain, letters)
  const took = systemClock.elapsed() - begun
  const { cpuMs, delayP99 } = await ask<Watched>({ ask: 'end' })
  print(what, letters.length / took, cpuMs / letters.length, `loop late p99 ${delayP99.toFixed(1)} ms`)
}

/** Until the last letter is filed: its 250 only says that the letter is queued. */
async function measurePeer(peer: Peer, what: string, domain: string, count: number): Promise<void> {
  const letters = await lettersFrom(domain, count)
  sent += count
  const cpuBefore = peer.cpuMs()
  const begun = systemClock.elapsed()
  await deliverAll(peer, domain, letters)
  const taken = letters.length / (systemClock.elapsed() - begun)
  await peer.filed(sent)
  const filed = letters.length / (systemClock.elapsed() - begun)
  print(what, filed, (peer.cpuMs() - cpuBefore) / letters.length, `taken ${(1000 * taken).toFixed(0)} per s`)
}

function print(what: string, perMs: number, cpuMs: number, more: string): void {
  const rate = (1000 * perMs).toFixed(0).padStart(6)
  process.stdout.write(`${what.padEnd(24)} ${rate} per s  CPU ${cpuMs.toFixed(2)} ms each  ${more}\n`)
}

const peer = process.argv[2] === undefined ? undefined : await peerOf(process.argv[2])
await measure('unchecked, cold', domains.rsa, true, 20)
await measure('checked, cold', domains.rsa, false, 20)
if (peer) await measurePeer(peer, 'peer, cold', domains.rsa, 20)
for (let round = 0; round < 3; round++) {
  await measure('unchecked', domains.rsa, true, each)
  await measure('checked, RSA 2048', domains.rsa, false, each)
  await measure('checked, Ed25519', domains.ed25519, false, each)
  if (peer) await measurePeer(peer, 'peer, unchecked', domains.rsa, each)
}
child.disconnect()
rmSync(keyDirectory, { recursive: true })

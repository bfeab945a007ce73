/**
 * What it costs to check strangers' mail: letters of 2 KB over 20 sessions with a signature each (RSA 2048, then Ed25519),
 * SPF, DKIM and DMARC in a DNS server on loopback, all verified, beside the same letters unchecked:
 *
 *     node test/bench/checked.ts
 *
 * A proxy header makes the client a stranger. The server is a process of its own; this one is its clients and its DNS.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createZoneServer, zone } from '@pennypost/dns'
import { createSigner, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { repliesOf } from './replies.ts'
import type { Ask, Ports, Watched } from './server-process.ts'

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

/** Letters over one session, one after the other; `known` says nothing of a proxy and is not checked. */
async function deliver(port: number, known: boolean, domain: string, letters: readonly Buffer[]): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const reply = repliesOf(socket)
  if (!known) socket.write('PROXY TCP4 203.0.113.5 127.0.0.1 40000 25\r\n')
  await reply('220')
  socket.write(`EHLO ${domain}\r\n`)
  await reply('250')
  for (const content of letters) {
    socket.write(`MAIL FROM:<carol@${domain}>\r\nRCPT TO:<alice@bench.test>\r\nDATA\r\n`)
    for (const code of ['250', '250', '354']) await reply(code)
    socket.write(content)
    await reply('250')
  }
  socket.end('QUIT\r\n')
}

let number = 0

async function measure(what: string, domain: string, known: boolean, count: number): Promise<void> {
  const letters: Buffer[] = []
  while (letters.length < sessions * count) letters.push(await letter(domain, ++number))
  await ask({ ask: 'begin' })
  const begun = systemClock.elapsed()
  await Promise.all(
    Array.from({ length: sessions }, (_, at) =>
      deliver(known ? ports.smtp : ports.proxied, known, domain, letters.slice(at * count, (at + 1) * count)),
    ),
  )
  const took = systemClock.elapsed() - begun
  const { cpuMs, delayP99 } = await ask<Watched>({ ask: 'end' })
  const rate = ((1000 * letters.length) / took).toFixed(0).padStart(6)
  const cpu = (cpuMs / letters.length).toFixed(2)
  process.stdout.write(
    `${what.padEnd(24)} ${rate} per s  CPU ${cpu} ms each  loop late p99 ${delayP99.toFixed(1)} ms\n`,
  )
}

await measure('unchecked, cold', domains.rsa, true, 20)
await measure('checked, cold', domains.rsa, false, 20)
for (let round = 0; round < 3; round++) {
  await measure('unchecked', domains.rsa, true, each)
  await measure('checked, RSA 2048', domains.rsa, false, each)
  await measure('checked, Ed25519', domains.ed25519, false, each)
}
child.disconnect()
rmSync(keyDirectory, { recursive: true })

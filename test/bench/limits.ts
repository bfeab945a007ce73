/**
 * What must stay small however large or many the letters are:
 *
 *     node test/bench/limits.ts
 *
 * - memory (heapUsed + external) while 50 MB come in by SMTP, go out by IMAP, POP3 and the relay: at most 16 MB above idle;
 * - how late the event loop is while mail comes in, small and large: p99 under 20 ms;
 * - the first attempt for a destination while 10 000 entries wait for one that accepts connections and says nothing: under 1 s.
 *
 * The server is a process of its own; this one is its clients and its peers. Nothing here fails: it prints.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { systemClock } from '@pennypost/model'
import { createNextHop } from './next-hop.ts'
import type { Ask, Ports, Watched } from './server-process.ts'

const child = fork(new URL('./server-process.ts', import.meta.url), { execArgv: ['--expose-gc'] })
const [ports] = (await once(child, 'message')) as [Ports]

async function ask<Answer>(message: Ask): Promise<Answer> {
  child.send(message)
  const [answer] = await once(child, 'message')
  return answer as Answer
}

/** What is looked at of what came last: a greeting with all its capabilities. */
const tailOctets = 4096

/** Says one thing after the other, each when what came matches what was waited for; gives how many octets came. */
async function converse(port: number, steps: readonly [until: RegExp, say: string | Buffer][]): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  const chunks = socket.iterator({ destroyOnReturn: false })
  let received = 0
  for (const [until, say] of steps) {
    // The end is all that is looked at: what is in between may be large.
    let tail = ''
    while (!until.test(tail)) {
      const { value, done } = await chunks.next()
      if (done) throw new Error(`the server hung up instead of saying ${until}`)
      const chunk = value as Buffer
      received += chunk.length
      tail = (tail + chunk.toString('latin1', Math.max(0, chunk.length - tailOctets))).slice(-tailOctets)
    }
    if (say === '') break
    socket.write(say)
  }
  socket.end()
  return received
}

function letter(to: string, size: number): Buffer {
  const head = Buffer.from(
    `From: carol@three.test\r\nTo: ${to}\r\nSubject: bench\r\nMessage-ID: <1@three.test>\r\n\r\n`,
  )
  const line = 'A line of text as people write it, seventy-six characters of it, no less.\r\n'
  return Buffer.concat([head, Buffer.alloc(size - head.length - 2, line), Buffer.from('\r\n.\r\n')])
}

/** So many letters over one session. */
function deliver(to: string, size: number, count: number): Promise<number> {
  const content = letter(to, size)
  const envelope = `MAIL FROM:<carol@three.test>\r\nRCPT TO:<${to}>\r\nDATA\r\n`
  const each: [RegExp, string | Buffer][] = [
    [/^250 [^\n]*\r\n$/m, envelope],
    [/^354 [^\n]*\r\n$/m, content],
  ]
  return converse(ports.smtp, [
    [/^220 .*\r\n/, 'EHLO bench\r\n'],
    ...Array.from({ length: count }, () => each).flat(),
    [/^250 [^\n]*queued[^\n]*\r\n$/m, 'QUIT\r\n'],
    [/^221 /m, ''],
  ])
}

function listen(take: (socket: Socket) => void): Server {
  return createServer(take).listen(0, '127.0.0.1')
}

async function relayTo(domain: string, server: Server): Promise<void> {
  if (!server.listening) await once(server, 'listening')
  await ask({ ask: 'relay', domain, port: (server.address() as AddressInfo).port })
}

const megabytes = (octets: number): string => `${(octets / 1024 / 1024).toFixed(1)} MB`

async function measure(what: string, work: () => Promise<unknown>): Promise<void> {
  await ask({ ask: 'begin' })
  const begun = systemClock.elapsed()
  await work()
  const took = systemClock.elapsed() - begun
  const { idleOctets, peakOctets, delayP99, delayMax } = await ask<Watched>({ ask: 'end' })
  const memory = `${megabytes(peakOctets - idleOctets)} above idle (${megabytes(idleOctets)})`
  const late = `loop late p99 ${delayP99.toFixed(1)}, at most ${delayMax.toFixed(1)} ms`
  process.stdout.write(`${what.padEnd(44)} ${took.toFixed(0).padStart(6)} ms  ${memory.padEnd(36)} ${late}\n`)
}

const many = (sessions: number, to: string, size: number, each: number) => () =>
  Promise.all(Array.from({ length: sessions }, () => deliver(to, size, each)))

const size = 50 * 1024 * 1024
const live = createNextHop()
const liveServer = listen(live.take)
await relayTo('live.test', liveServer)
// What the first letters compile stays: it is not what a large one costs.
await measure('2 KB over 20 sessions, 50 each, cold', many(20, 'alice@bench.test', 2048, 50))
await measure('2 KB over 20 sessions, 200 each', many(20, 'alice@bench.test', 2048, 200))
await measure('1 MB over 4 sessions, 20 each', many(4, 'alice@bench.test', 1024 * 1024, 20))
await measure('50 MB in by SMTP', () => deliver('bob@bench.test', size, 1))
await measure('50 MB out by IMAP', async () => {
  const fetch = 'a LOGIN bob@bench.test secret\r\nb SELECT INBOX\r\nc FETCH 1 BODY.PEEK[]\r\n'
  const octets = await converse(ports.imap, [
    [/^\* OK .*\r\n/, fetch],
    [/^c OK .*\r\n$/m, ''],
  ])
  if (octets < size) throw new Error('the letter is not whole')
})
await measure('50 MB out by POP3', async () => {
  const octets = await converse(ports.pop3, [
    [/^\+OK .*\r\n/, 'USER bob@bench.test\r\nPASS secret\r\nRETR 1\r\n'],
    [/\r\n\.\r\n$/, ''],
  ])
  if (octets < size) throw new Error('the letter is not whole')
})
await measure('50 MB in and out by the relay', async () => {
  await deliver('somebody@live.test', size, 1)
  await live.have(1)
})

// It takes connections and never greets: each attempt lasts as long as the relay has patience.
const dead = listen((socket) => socket.on('error', () => {}))
await relayTo('dead.test', dead)
await measure('10 000 letters for a dead destination', many(20, 'somebody@dead.test', 1024, 500))
const other = createNextHop()
const otherServer = listen(other.take)
await relayTo('other.test', otherServer)
await measure('first letter for another, from end to end', async () => {
  await deliver('somebody@other.test', 1024, 1)
  await other.have(1)
})
child.disconnect()
for (const server of [liveServer, dead, otherServer]) server.close()
await once(child, 'exit')
process.exit(0)

/**
 * A queue of 100 000 entries for a hundred destinations of which half are down: what it takes to fill, list and restart, in
 * time and memory, and how soon the other half is where it should be once the relay may go on:
 *
 *     node test/bench/large-queue.ts
 *
 * The server is a process of its own; this one is its clients, the next hop of those that are up, and its verbs.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { systemClock } from '@pennypost/model'
import { createNextHop } from './next-hop.ts'
import { repliesOf } from './replies.ts'
import { cpuOf, memoryOf } from './wire.ts'

const entries = 100_000
/** Up and down in turn; a letter goes to one recipient at each. */
const destinations = 100
const program = new URL('../../apps/pennypost/bin/pennypost.js', import.meta.url).pathname
const directory = mkdtempSync(join(tmpdir(), 'pennypost-queue-'))
const config = join(directory, 'pennypost.toml')
const free = await freePort()
const sink = await startSink()
writeFileSync(
  config,
  `hostname = "mail.bench.test"
[log]
file = "pennypost.log"
[[listener]]
service = "smtp"
address = "127.0.0.1"
port = ${free}
`,
)

function addressOf(destination: number): string {
  return `127.0.1.${destination + 1}`
}

async function verb(...words: string[]): Promise<string> {
  const command = [program, ...words, '--config', config]
  const { stdout } = await promisify(execFile)(process.execPath, command, { maxBuffer: 2 ** 30 })
  return stdout
}

async function serve(): Promise<ChildProcess> {
  const server = spawn(process.execPath, [program, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface(server.stdout)) if (line === 'ready') return server
  throw new Error('the server did not start')
}

async function end(server: ChildProcess): Promise<void> {
  server.kill('SIGTERM')
  await once(server, 'exit')
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Next hops that take everything: each at an address of its own, all at one port. */
async function startSink() {
  const { take, have } = createNextHop()
  const servers = Array.from({ length: destinations }, () => createServer(take))
  let port = 0
  for (const [at, server] of servers.entries()) {
    server.listen(port, addressOf(at))
    await once(server, 'listening')
    ;({ port } = server.address() as AddressInfo)
  }
  const close = (): void => {
    for (const server of servers) server.close()
  }
  return { port, have, close }
}

/** All letters over one session. */
async function fill(): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port: free, noDelay: true })
  const reply = repliesOf(socket)
  await reply('220')
  socket.write('EHLO bench\r\n')
  await reply('250')
  const to = Array.from({ length: destinations }, (_, at) => `RCPT TO:<bob@d${at}.test>\r\n`).join('')
  for (let letter = 0; letter < entries / destinations; letter++) {
    socket.write(`MAIL FROM:<carol@load.test>\r\n${to}DATA\r\n`)
    for (let at = 0; at < destinations + 1; at++) await reply('250')
    await reply('354')
    socket.write(`From: carol@load.test\r\nSubject: ${letter}\r\n\r\n${'text\r\n'.repeat(300)}.\r\n`)
    await reply('250')
  }
  socket.end('QUIT\r\n')
}

async function measure<Result>(what: string, pid: () => number, work: () => Promise<Result>): Promise<Result> {
  const [begun, cpu, before] = [systemClock.elapsed(), cpuOf(pid()), pid()]
  const result = await work()
  const spent = cpuOf(pid()) - (pid() === before ? cpu : 0)
  const took = systemClock.elapsed() - begun
  const memory = (memoryOf(pid()) / 1024).toFixed(0)
  process.stdout.write(`| ${what} | ${took.toFixed(0)} | ${spent.toFixed(0)} | ${memory} |\n`)
  return result
}

let server = await serve()
const pid = (): number => server.pid ?? 0
await verb('domain', 'add', 'bench.test')
// Nobody listens at port 1.
for (let at = 0; at < destinations; at++) {
  await verb('domain', 'add', `d${at}.test`, '--relay-to', `${addressOf(at)}:${at % 2 ? 1 : sink.port}`)
}
await verb('queue', 'rule-add', '--from', '@load.test')

process.stdout.write('| what | ms | server CPU ms | MB afterwards |\n|---|---|---|---|\n')
await measure('fill: 1 000 letters to 100 destinations', pid, fill)
await measure('list the first 1 000', pid, () => verb('queue', 'list'))
await measure('list those of one destination', pid, () => verb('queue', 'list', '--destination', `${addressOf(7)}:1`))
await measure('list all, as JSON', pid, () => verb('queue', 'list', '--limit', `${entries}`, '--json'))
await measure('status', pid, () => verb('status'))
await measure('stop and start', pid, async () => {
  await end(server)
  server = await serve()
})
await verb('queue', 'rule-remove', '--from', '@load.test')
const released = verb('queue', 'release', '--all')
await measure('release all, until the first is out', pid, () => sink.have(1))
await measure('until the verb has ended', pid, () => released)
await measure('until all that can be are out', pid, () => sink.have(entries / 2))
await end(server)
sink.close()
rmSync(directory, { recursive: true })

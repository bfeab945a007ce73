/**
 * Called by `idle.sh`: port in clear, port with TLS, process id, login, password, sessions. Opens the sessions, has them
 * idle, and prints what each took of the server's memory (PSS): as it is when the last has begun, and a minute later.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as rest } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { memoryOf } from './wire.ts'

const [port, tlsPort, pid, , , count] = process.argv.slice(2).map(Number) as [number, number, number, 0, 0, number]
const [login, password] = process.argv.slice(5, 7)

async function idle(socket: Socket): Promise<Socket> {
  let said = ''
  const until = async (end: RegExp): Promise<void> => {
    while (!end.test(said)) said += (await once(socket, 'data')).toString()
    said = ''
  }
  await until(/^\* OK .*\r\n/)
  socket.write(`a LOGIN ${login} ${password}\r\nb SELECT INBOX\r\nc IDLE\r\n`)
  await until(/^\+ /m)
  return socket
}

async function measure(what: string, open: () => Socket): Promise<void> {
  const before = memoryOf(pid)
  const sockets: Socket[] = []
  for (let i = 0; i < count; i++) sockets.push(await idle(open()))
  const each = (): string => ((memoryOf(pid) - before) / count).toFixed(1)
  const now = each()
  await rest(60_000)
  console.log(`| ${what} | ${now} | ${each()} |`)
  for (const socket of sockets) socket.end()
  await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')))
}

const inClear = (): Socket => connect(port, '127.0.0.1')
// A certificate that the server made for itself.
const overTls = (): Socket => connectTls({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false })

// What the first sessions compile stays, and so does what the server does first when it has run for a while.
for (const open of [inClear, overTls]) (await idle(open())).destroy()
await rest(90_000)
console.log(`| ${count} sessions that idle, KB of each | at once | after a minute |`)
console.log('|---|---|---|')
await measure('in clear', inClear)
await measure('over TLS', overTls)
process.exit(0)

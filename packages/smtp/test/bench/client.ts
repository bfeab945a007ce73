/**
 * What the client costs: CPU of this process for each message handed to `sink.ts` over kept connections.
 * `node packages/smtp/test/bench/client.ts [messages] [octets] [connections] [chunking] [transcript]`
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { systemClock, systemDeadline } from '@pennypost/model'
import { createSmtpClient } from '../../src/index.ts'
import { testDialer } from '../../src/testing/scripted-server.ts'

const numbers = process.argv
  .slice(2)
  .filter((word) => /^\d+$/.test(word))
  .map(Number)
const [messages = 20_000, octets = 2048, connections = 20] = numbers
const chunking = process.argv.includes('chunking')
const transcript = process.argv.includes('transcript')

const sink = spawn(process.execPath, [new URL('sink.ts', import.meta.url).pathname, chunking ? 'chunking' : ''], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [line] = await once(sink.stdout, 'data')
const port = Number(String(line))

const header = 'From: a@one.test\r\nTo: b@two.test\r\nSubject: bench\r\n\r\n'
const text = 'The quick brown fox jumps over the lazy dog, and then over 13 more.\r\n'
const lines = Math.max(1, Math.ceil((octets - header.length) / text.length))
const body = Buffer.from(header + text.repeat(lines))

async function send(count: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.setNoDelay(true)
  let events = 0
  const client = createSmtpClient(socket, {
    dialer: testDialer,
    deadline: systemDeadline,
    clock: systemClock,
    hostname: 'bench.test',
    ...(transcript ? { onTranscript: () => events++ } : {}),
  })
  await client.hello()
  for (let sent = 0; sent < count; sent++) {
    const recipients = [{ forwardPath: 'bob@two.test' }]
    const result = await client.transact({ reversePath: 'alice@one.test', recipients, body, size: body.length })
    if (result.outcomes[0]!.outcome !== 'delivered') throw new Error(JSON.stringify(result))
  }
  await client.quit()
}

async function round(count: number): Promise<void> {
  await Promise.all(Array.from({ length: connections }, () => send(Math.ceil(count / connections))))
}

try {
  await round(Math.min(messages, 4000))
  const [cpu, begun] = [process.cpuUsage(), systemClock.elapsed()]
  await round(messages)
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (systemClock.elapsed() - begun) / 1000
  const each = (user + system) / 1000 / messages
  const how = `${body.length} octets, ${connections} connections, ${chunking ? 'BDAT' : 'DATA'}${transcript ? ', transcript' : ''}`
  process.stdout.write(
    `${how}: ${each.toFixed(4)} ms CPU/message (user ${(user / 1000 / messages).toFixed(4)}), ` +
      `${Math.round(messages / seconds)}/s, ${Math.round((messages * body.length) / seconds / 1e6)} MB/s\n`,
  )
} finally {
  sink.kill()
}

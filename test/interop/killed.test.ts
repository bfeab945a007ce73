/** What a client was told stays true when the process is killed, and a running transaction ends when it is asked to stop. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createTransport } from 'nodemailer'
import { expect, it } from 'vitest'
import { makeHome } from './programs.ts'
import { letter, openImap, subjects } from './readers.ts'
import { type ServerProcess, startProcess } from './start-process.ts'

/** Delivers letter after letter until the server is gone; gives the subjects that it answered with 250. */
async function load(at: ServerProcess, lane: number, acknowledged: (subject: string) => void): Promise<void> {
  const transport = createTransport({
    pool: true,
    maxConnections: 1,
    host: '127.0.0.1',
    port: at.port('smtp'),
    ignoreTLS: true,
  })
  try {
    for (let index = 0; ; index += 1) {
      const subject = `lane ${lane} letter ${index}`
      const envelope = { from: 'x@elsewhere.test', to: 'bob@one.test' }
      const { response } = await transport.sendMail({ envelope, raw: letter(subject) })
      if (response.startsWith('250')) acknowledged(subject)
    }
  } catch {
    transport.close()
  }
}

it('a server that is killed under load has every letter that it acknowledged, once', async () => {
  using home = makeHome()
  const acknowledged: string[] = []
  for (const goal of [150, 300, 450]) {
    await using at = await startProcess(home.path)
    const exit = once(at.process, 'exit')
    const lanes = [0, 1, 2, 3].map((lane) =>
      load(at, goal + lane, (subject) => {
        acknowledged.push(subject)
        if (acknowledged.length === goal) at.process.kill('SIGKILL')
      }),
    )
    await Promise.all(lanes)
    await exit
  }
  await using again = await startProcess(home.path)
  await using session = await openImap(again, 'bob@one.test')
  const stored = await subjects(session)
  expect(stored.filter((subject, index) => stored.indexOf(subject) !== index)).toEqual([])
  expect(acknowledged.filter((subject) => !stored.includes(subject))).toEqual([])
  expect(acknowledged.length).toBeGreaterThanOrEqual(450)
})

async function say(socket: Socket, line: string): Promise<string> {
  if (line !== '') socket.write(`${line}\r\n`)
  let reply = ''
  while (!/^\d{3} .*\r\n$/m.test(reply)) reply += ((await once(socket, 'data')) as [Buffer])[0].toString()
  return reply
}

it('SIGTERM lets a transaction that has begun end, takes no new one, and leaves with success', async () => {
  using home = makeHome()
  {
    await using at = await startProcess(home.path)
    const exit = once(at.process, 'exit')
    const socket = connect(at.port('smtp'), '127.0.0.1')
    await say(socket, '')
    await say(socket, 'EHLO client.test')
    await say(socket, 'MAIL FROM:<x@elsewhere.test>')
    await say(socket, 'RCPT TO:<bob@one.test>')
    expect(await say(socket, 'DATA')).toMatch(/^354 /)
    at.process.kill('SIGTERM')
    // The listener is closed when a new connection is refused.
    for (;;) {
      const probe = connect(at.port('smtp'), '127.0.0.1')
      const [event] = await Promise.race([
        once(probe, 'data').then(() => ['open']),
        once(probe, 'end').then(() => ['closed']),
        once(probe, 'error').then(() => ['closed']),
      ]).catch(() => ['closed'])
      probe.destroy()
      if (event === 'closed') break
    }
    expect(await say(socket, `${letter('in time')}.`)).toMatch(/^250 2\.0\.0 /)
    socket.destroy()
    expect(await exit).toEqual([0, null])
  }
  await using again = await startProcess(home.path)
  await using session = await openImap(again, 'bob@one.test')
  expect(await subjects(session)).toEqual(['in time'])
})

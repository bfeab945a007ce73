/** What clients are told when the store has failed and the process is about to end. */
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { startInstance } from './instance.ts'

/** All lines that the server says until it closes, the greeting first. */
async function greeted(port: number): Promise<{ socket: Socket; lines: AsyncIterator<string> }> {
  const socket = connect(port, '127.0.0.1')
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  await lines.next()
  return { socket, lines }
}

test('clients were cut off without a word', async () => {
  await using instance = await startInstance({ domain: 'one.test', accounts: ['alice'] })
  const all = await Promise.all(
    ['smtp', 'submission', 'lmtp', 'imap', 'pop3'].map((service) => greeted(instance.port(service))),
  )
  const [mx] = all
  // One is in the midst of a transaction.
  mx!.socket.write('EHLO client.test\r\nMAIL FROM:<>\r\n')
  for (let line = ''; !line.startsWith('250 2.1.0'); ) line = (await mx!.lines.next()).value ?? ''
  await instance.server.abandon(50)
  const last = await Promise.all(all.map(async ({ lines }) => (await lines.next()).value))
  expect(last).toEqual([
    expect.stringMatching(/^421 4\.3\.2 /),
    expect.stringMatching(/^421 4\.3\.2 /),
    expect.stringMatching(/^421 4\.3\.2 /),
    expect.stringMatching(/^\* BYE /),
    expect.stringMatching(/^-ERR \[SYS\/TEMP\] /),
  ])
})

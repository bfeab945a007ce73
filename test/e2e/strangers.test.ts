/** How many connections one address may have open at the MX: few for those whose mail is checked. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { eventually, type Instance, startInstance } from './instance.ts'

const toml = `
[limits]
connections_per_stranger = 2
[policy]
exempt = ["192.0.2.0/24"]
[[listener]]
service = "smtp"
address = "127.0.0.1"
port = 0
proxy = ["127.0.0.1"]
`

/** A connection that a proxy says to be of `client`, and the first line that it is told. */
async function arrive(at: Instance, client: string): Promise<{ socket: Socket; line: string }> {
  const socket = connect(at.port('smtp'), '127.0.0.1')
  socket.write(`PROXY TCP4 ${client} 127.0.0.1 40000 25\r\n`)
  const [line] = (await once(createInterface(socket), 'line')) as [string]
  return { socket, line }
}

async function linesOf(at: Instance, client: string): Promise<string[]> {
  const all = await Promise.all(Array.from({ length: 3 }, () => arrive(at, client)))
  return all.map(({ line }) => line.slice(0, 3)).sort()
}

test('a stranger has few connections at the MX, whoever is known has as many as others', async () => {
  await using at = await startInstance({ domain: 'one.test', accounts: ['alice'], toml })
  const first = await arrive(at, '203.0.113.5')
  expect(first.line).toMatch(/^220 /)
  expect((await arrive(at, '203.0.113.5')).line).toMatch(/^220 /)
  expect((await arrive(at, '203.0.113.5')).line).toMatch(/^421 4\.7\.0 /)
  expect(await linesOf(at, '198.51.100.7')).toEqual(['220', '220', '421'])
  expect(await linesOf(at, '192.0.2.7')).toEqual(['220', '220', '220'])
  expect(await linesOf(at, '127.0.0.1')).toEqual(['220', '220', '220'])

  first.socket.destroy()
  await eventually(async () => {
    const next = await arrive(at, '203.0.113.5')
    return next.line.startsWith('220 ') || undefined
  }, 'the place of a connection that has gone is free again')
})

import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLog } from '@pennypost/model'
import { createConnectionLimiter } from '@pennypost/transport'
import { expect, onTestFinished, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { pageLimiter } from './listeners.ts'
import { startServer } from './server.ts'

test('browsers that load pages took the places of the mail programs of the same address', () => {
  const limiter = createConnectionLimiter({ connections: 6, connectionsPerAddress: 2 })
  const siteLimiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 2 })
  const pages = pageLimiter({ limiter, siteLimiter })
  const office = ['192.0.2.1', '192.0.2.1'] as const
  const [first] = [pages.admit(...office), pages.admit(...office)]
  expect(pages.admit(...office)).toBe('address')
  for (let count = 0; count < 2; count++) expect(limiter.admit(...office)).toBeTypeOf('object')
  expect(limiter.admit(...office)).toBe('address')
  // In all they count together.
  expect([limiter.open, pages.open]).toEqual([4, 4])
  if (typeof first === 'object') first[Symbol.dispose]()
  expect(limiter.open).toBe(3)
  expect(pages.admit(...office)).toBeTypeOf('object')
})

test('a Unix socket was made where the server had been started, other than all that a configuration names', async () => {
  const base = mkdtempSync(join(tmpdir(), 'pennypost-listeners-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const document = 'hostname = "mail.one.test"\n[[listener]]\nservice = "lmtp"\npath = "lmtp.sock"'
  const config = checkConfig('test.toml', document)
  const server = await startServer({ config, base, demo: false, log: silentLog, errors: () => [], onFatal() {} })
  onTestFinished(() => server.stop(0))
  expect(readdirSync(base).toSorted()).toEqual(['data', 'lmtp.sock'])
})

test.each(['imap', 'pop3'])('behind a proxy %s took all clients for one', async (service) => {
  const base = mkdtempSync(join(tmpdir(), 'pennypost-listeners-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const document = `hostname = "mail.one.test"
[limits]
connections_per_address = 1
[[listener]]
service = "${service}"
address = "127.0.0.1"
port = 0
proxy = ["127.0.0.1"]`
  const config = checkConfig('test.toml', document)
  const server = await startServer({ config, base, demo: false, log: silentLog, errors: () => [], onFatal() {} })
  onTestFinished(() => server.stop(0))
  const greeting = async (client: string): Promise<string> => {
    const socket = connect(server.listeners[0]?.bound.port as number, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    socket.write(`PROXY TCP4 ${client} 127.0.0.1 4711 143\r\n`)
    const [said] = (await once(socket, 'data')) as [Buffer]
    return said.toString()
  }
  expect(await greeting('192.0.2.7')).toMatch(/OK/)
  expect(await greeting('192.0.2.8')).toMatch(/OK/)
  expect(await greeting('192.0.2.7')).toMatch(/Too many connections/)
})

/** What the running server tells of itself over its admin socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OperationResult } from '@pennypost/admin'
import { callAdmin } from '@pennypost/admin/client'
import { type Log, silentLog } from '@pennypost/model'
import { expect, onTestFinished, test } from 'vitest'
import { checkConfig } from '../config/load.ts'
import { startServer } from './server.ts'

const listener = (service: string) => `[[listener]]\nservice = "${service}"\naddress = "127.0.0.1"\nport = 0`

/** What `status` lists for a server with these lines in its configuration, and the server. */
async function started(lines: readonly string[], log: Log = silentLog) {
  const base = mkdtempSync(join(tmpdir(), 'pennypost-running-'))
  onTestFinished(() => rmSync(base, { recursive: true, force: true }))
  const config = checkConfig('x', ['hostname = "mail.one.test"', ...lines].join('\n'))
  const onFatal = (error: Error) => {
    throw error
  }
  const server = await startServer({ config, base, demo: false, log, errors: () => [], onFatal })
  onTestFinished(() => server.stop(0))
  const status = await callAdmin(join(base, 'data', 'admin.sock'), 'status', {}, 'tester')
  const { listeners = [], worksQueue } = (status as OperationResult<'status'>).server ?? {}
  return { server, listeners, worksQueue }
}

test('a server that found no store where it was told to look refused all mail and said nothing', async () => {
  const warned: unknown[] = []
  await started([listener('smtp')], { ...silentLog, warn: (facts, text) => warned.push({ ...facts, text }) })
  const dataDirectory = expect.stringMatching(/data$/)
  expect(warned).toContainEqual({ dataDirectory, text: 'there is no domain: all mail that comes is put off' })
})

test('status left out the listener for machines that watch', async () => {
  const { server, listeners } = await started([listener('imap'), listener('http')])
  expect(listeners).toEqual([
    { service: 'imap', address: `127.0.0.1:${server.listeners[0]?.bound.port}`, sessions: 0 },
    { service: 'http', address: `127.0.0.1:${server.http[0]?.bound.port}`, sessions: 0 },
  ])
})

test('a listener without its role stayed closed, and nothing said so', async () => {
  const lmtp = '[[listener]]\nservice = "lmtp"\npath = "lmtp.sock"'
  const { listeners, worksQueue } = await started(['roles = ["imap"]', listener('imap'), lmtp, listener('https')])
  expect(worksQueue).toBe(false)
  expect(listeners).toMatchObject([
    { service: 'imap' },
    { service: 'https' },
    { service: 'lmtp', address: 'lmtp.sock', sessions: 0, lacksRoles: ['lmtp'] },
  ])
})

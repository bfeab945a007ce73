/** smtplib, imaplib and poplib: what scripts of administrators use. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { startInstance } from '../e2e/instance.ts'
import { has, makeHome, run } from './programs.ts'

const script = fileURLToPath(new URL('python_clients.py', import.meta.url))

it.skipIf(!has('python3'))("Python's clients send, read, file and remove letters (needs python3)", async () => {
  using home = makeHome()
  await using at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'] })
  const ports = Object.fromEntries(['submission', 'lmtp', 'imap', 'pop3'].map((service) => [service, at.port(service)]))
  const { code, stderr } = await run('python3', [script, JSON.stringify(ports)], { home: home.path })
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})

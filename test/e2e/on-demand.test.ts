/**
 * A host that is not always there fetches its mail (ATRN, RFC 2645): it logs in, the connection turns round, and what waits
 * for its domain is sent over it.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { openDialogue } from './full-disk-dialogue.ts'
import { eventually, type Instance, startInstance } from './instance.ts'

const toml = `
[[listener]]
service = "odmr"
address = "127.0.0.1"
port = 0
[[relay.turn]]
domain = "branch.test"
accounts = ["branch@one.test"]
`

/** The host: a client that becomes a server. */
class Host implements Disposable {
  #socket: Socket
  #text = ''
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  static async open(at: Instance): Promise<Host> {
    const host = new Host(connect(at.port('odmr'), '127.0.0.1'))
    expect(await host.line()).toMatch(/^220 mail\.one\.test ESMTP/)
    return host
  }

  #listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => {
      this.#text += octets.toString('latin1')
      this.#wake?.()
    })
    for (const event of ['end', 'close', 'error']) socket.on(event, () => this.#wake?.())
  }

  /** The next line, without its end; undefined when no more come. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#socket.readableEnded || this.#socket.destroyed) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  say(line: string): void {
    this.#socket.write(`${line}\r\n`)
  }

  /** Says something and gives the reply, its lines joined. */
  async ask(line: string): Promise<string> {
    this.say(line)
    const lines: string[] = []
    for (;;) {
      const next = (await this.line()) ?? '<closed>'
      lines.push(next)
      if (!/^\d{3}-/.test(next)) return lines.join('\n')
    }
  }

  /** From the greeting to a login over TLS. */
  static async loggedIn(at: Instance, login: string): Promise<Host> {
    const host = await Host.open(at)
    await host.ask('EHLO branch.test')
    await host.startTls()
    await host.ask('EHLO branch.test')
    await host.logIn(login)
    return host
  }

  async startTls(): Promise<void> {
    expect(await this.ask('STARTTLS')).toMatch(/^220 /)
    this.#socket.removeAllListeners()
    const secured = connectTls({ socket: this.#socket, rejectUnauthorized: false })
    await new Promise<void>((resolve, reject) => secured.once('secureConnect', resolve).once('error', reject))
    this.#socket = secured
    this.#listen(secured)
  }

  async logIn(login: string): Promise<void> {
    const secret = Buffer.from(`\0${login}\0secret`).toString('base64')
    expect(await this.ask(`AUTH PLAIN ${secret}`)).toMatch(/^235 /)
  }

  /** Serves until QUIT, or until so many letters have come; gives them. */
  async serve(atMost = Number.POSITIVE_INFINITY): Promise<string[]> {
    const letters: string[] = []
    this.say('220 branch.test ready to receive mail')
    for (;;) {
      const line = await this.line()
      if (line === undefined) return letters
      if (line === 'QUIT') {
        this.say('221 bye')
        return letters
      }
      if (line === 'DATA') {
        this.say('354 go on')
        letters.push(await this.#content())
        if (letters.length === atMost) return letters
      }
      this.say('250 ok')
    }
  }

  async #content(): Promise<string> {
    const lines: string[] = []
    for (let line = await this.line(); line !== undefined && line !== '.'; line = await this.line()) lines.push(line)
    return lines.join('\r\n')
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }
}

async function start(): Promise<Instance> {
  const at = await startInstance({ domain: 'one.test', accounts: ['alice', 'branch'], toml })
  // Nobody is there: the office is only on the line when it wants its mail.
  await at.server.store.directory.addDomain({ name: 'branch.test', kind: 'relay', target: '127.0.0.1:1', catchAll: '' })
  return at
}

async function write(at: Instance, subject: string): Promise<void> {
  using smtp = await openDialogue(at.port('smtp'), 'EHLO client.test')
  expect(
    await smtp.deliver(
      'office@branch.test',
      Buffer.from(`From: x@elsewhere.test\r\nSubject: ${subject}\r\n\r\nhi\r\n`),
    ),
  ).toMatch(/^250 /)
}

async function waiting(at: Instance): Promise<{ dueAt: number }[]> {
  const pages = await Array.fromAsync(at.server.store.queue.list({}))
  return pages.flat()
}

/** They have been tried in vain. */
const allWait = (at: Instance, count: number) =>
  eventually(async () => {
    const entries = await waiting(at)
    return (entries.length === count && entries.every(({ dueAt }) => dueAt > Date.now())) || undefined
  }, `${count} letters wait`)

const isEmpty = (at: Instance) =>
  eventually(async () => (await waiting(at)).length === 0 || undefined, 'nothing waits any more')

test('a host logs in and fetches what waits for its domain, over TLS', async () => {
  await using at = await start()
  for (const subject of ['one', 'two', 'three']) await write(at, subject)
  await allWait(at, 3)
  {
    using host = await Host.open(at)
    expect(await host.ask('EHLO branch.test')).toMatch(/ATRN/)
    await host.startTls()
    expect(await host.ask('EHLO branch.test')).not.toMatch(/SIZE|STARTTLS/)
    await host.logIn('branch@one.test')
    expect(await host.ask('ATRN branch.test')).toBe('250 OK now reversing the connection')
    const letters = await host.serve()
    expect(letters.map((letter) => /^Subject: (.*)\r$/m.exec(letter)?.[1]).sort()).toEqual(['one', 'three', 'two'])
    expect(letters[0]).toMatch(/\r\n\r\nhi$/)
    expect(await host.line()).toBeUndefined()
  }
  await isEmpty(at)
  using again = await Host.loggedIn(at, 'branch@one.test')
  expect(await again.ask('ATRN')).toMatch(/^453 4\.3\.2 /)
})

test('who has not logged in, or may not have the domain, gets nothing', async () => {
  await using at = await start()
  using host = await Host.open(at)
  expect(await host.ask('ATRN branch.test')).toMatch(/^503 /)
  await host.ask('EHLO alice.test')
  expect(await host.ask('ATRN branch.test')).toMatch(/^530 5\.7\.0 /)
  expect(await host.ask('MAIL FROM:<x@y.test>')).toMatch(/^50[02] /)
  await host.startTls()
  await host.ask('EHLO alice.test')
  await host.logIn('alice@one.test')
  expect(await host.ask('ATRN branch.test')).toMatch(/^450 4\.7\.1 /)
  expect(await host.ask('ATRN')).toMatch(/^450 4\.7\.1 /)
  expect(await host.ask('ATRN no domain')).toMatch(/^501 /)
})

test('one connection has the mail, and leaves the rest in the queue when it goes away', async () => {
  await using at = await start()
  for (const subject of ['one', 'two']) await write(at, subject)
  await allWait(at, 2)
  {
    using host = await Host.loggedIn(at, 'branch@one.test')
    expect(await host.ask('ATRN')).toMatch(/^250 /)
    using second = await Host.loggedIn(at, 'branch@one.test')
    expect(await second.ask('ATRN')).toMatch(/^451 4\.3\.2 /)
    expect(await host.serve(1)).toHaveLength(1)
  }
  // The one whose end was not acknowledged waits too.
  await allWait(at, 2)
  using host = await Host.loggedIn(at, 'branch@one.test')
  expect(await host.ask('ATRN')).toMatch(/^250 /)
  expect(await host.serve()).toHaveLength(2)
  await isEmpty(at)
})

import { readFileSync } from 'node:fs'
import { scan, searchText } from '@pennypost/message'
import {
  type Account,
  type AccountId,
  type Flag,
  type InternalDate,
  type Mailbox,
  type SpecialUse,
  type Store,
  silentLog,
} from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { type Authenticator, createMechanisms } from '@pennypost/sasl'
import { Connection } from '@pennypost/transport'
import { createDuplexPair } from '@pennypost/transport/duplex-pair'
import { createImapService, type ImapService, type ImapServiceOptions } from '../../src/index.ts'
import { DialogueClient } from './client.ts'

/** Makes an empty store for one dialogue; engines other than the memory engine pass their own. */
export type EngineFactory = (time: ReturnType<typeof virtualClock>) => Promise<Store> | Store

export const memoryEngine: EngineFactory = (clock) => createMemoryStore({ clock, random: seededRandom(1), searchText })

/** Everybody's password. */
export const password = 'secret'

/** An IMAP service over an engine, with accounts alice and bob at one.test, reached by in-memory connections. */
export class TestServer {
  readonly store: Store
  readonly time: ReturnType<typeof virtualClock>
  readonly options: Partial<ImapServiceOptions> = {}
  /** Places that each account has. */
  sessionsPerAccount = Number.POSITIVE_INFINITY
  readonly #open = new Map<AccountId, number>()
  /** What QUOTA says of the limits. */
  readonly usageLimits: { octetLimit?: number; messageLimit?: number } = {}
  #service: ImapService | undefined
  readonly #clients: DialogueClient[] = []

  private constructor(store: Store, time: ReturnType<typeof virtualClock>) {
    this.store = store
    this.time = time
  }

  static async start(engine: EngineFactory = memoryEngine): Promise<TestServer> {
    const time = virtualClock(Date.UTC(2026, 1, 1, 12))
    const store = await engine(time)
    await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    for (const name of ['alice', 'bob']) {
      await store.directory.addAccount({ login: `${name}@one.test`, name, quota: 0, admin: false }, time.now())
    }
    return new TestServer(store, time)
  }

  /** The mail store rejects this as long as it is to fail. */
  failWhile(fails: () => boolean, verb: 'changesSince' | 'expunge' | 'mailboxes' | 'search', error: Error): void {
    const { mail } = this.store
    const failing = async (...args: unknown[]): Promise<unknown> => {
      if (fails()) throw error
      return Reflect.apply(mail[verb], mail, args)
    }
    this.options.mail = { ...mail, [verb]: failing }
  }

  #admit(account: AccountId): Disposable | undefined {
    const open = this.#open.get(account) ?? 0
    if (open >= this.sessionsPerAccount) return undefined
    this.#open.set(account, open + 1)
    return { [Symbol.dispose]: () => this.#open.set(account, (this.#open.get(account) ?? 1) - 1) }
  }

  get service(): ImapService {
    const { time, store } = this
    const deadline = { after: time.after, signal: () => new AbortController().signal }
    this.#service ??= createImapService({
      mail: store.mail,
      sharing: store.sharing,
      annotations: store.annotations,
      directory: store.directory,
      authenticator: this.#authenticator(),
      clock: time,
      deadline,
      random: seededRandom(2),
      log: silentLog,
      hostname: 'mail.one.test',
      serverId: { name: 'Pennypost', version: '1' },
      requireTlsForAuth: false,
      urlSecret: Buffer.from('a secret of this installation'),
      admit: (account) => this.#admit(account),
      usage: async (account) => {
        const { octets, messages } = await store.directory.usage(account)
        return { octets, messages, octetLimit: 10_000, messageLimit: 0, ...this.usageLimits }
      },
      ...this.options,
    })
    return this.#service
  }

  /** A client as which alice has logged in and run these commands (tags a2, a3 …); what they said has been read. */
  async alice(...commands: string[]): Promise<DialogueClient> {
    const client = this.connect()
    await client.response()
    const lines = [`LOGIN alice ${password}`, ...commands].map((command, at) => `a${at + 1} ${command}\r\n`)
    client.send(Buffer.from(lines.join('')))
    for (;;) {
      const response = await client.response()
      if (response === undefined) throw new Error('the connection ended')
      if (response.startsWith(`a${lines.length} OK`)) return client
    }
  }

  /** A connected client; its greeting is not read yet. */
  connect(): DialogueClient {
    const { client, server } = createDuplexPair()
    client.on('error', () => {})
    const { time } = this
    const connection = new Connection(
      server,
      { address: '192.0.2.1', port: 40000 },
      { address: '192.0.2.25', port: 143 },
      {
        service: 'imap',
        deadline: { after: time.after, signal: () => new AbortController().signal },
        log: silentLog,
        contexts: undefined,
        gone() {},
      },
      { leaveAddress() {}, returnToAddress() {}, [Symbol.dispose]() {} },
    )
    this.service.accept(connection)
    const dialogueClient = new DialogueClient(client)
    this.#clients.push(dialogueClient)
    return dialogueClient
  }

  async account(login = 'alice@one.test'): Promise<Account> {
    return (await this.store.directory.accountByLogin(login)) as Account
  }

  /** As if it had come by SMTP, or from another server's client. */
  async deliver(mailbox: string, content: Buffer, flags: readonly Flag[] = [], date?: InternalDate): Promise<void> {
    const { mail } = this.store
    const found = await this.mailbox(mailbox)
    const stage = mail.stage()
    await stage.write(Buffer.from(content))
    const scanned = scan(content)
    const message = {
      content: await stage.finish(),
      bodyStart: scanned.headerSize,
      header: scanned.header,
      index: scanned.index(),
    }
    await mail.append(found.id, [{ message, flags, internalDate: date ?? { at: this.time.now(), offsetMinutes: 0 } }])
  }

  async mailbox(name: string): Promise<Mailbox> {
    const found = await this.store.mail.mailboxByName((await this.account()).id, name)
    if (!found) throw new Error(`no mailbox ${name}`)
    return found
  }

  async updateAccount(login: string, change: Parameters<Store['directory']['updateAccount']>[1]): Promise<void> {
    await this.store.directory.updateAccount((await this.account(`${login}@one.test`)).id, change)
  }

  async createMailbox(name: string, use?: SpecialUse): Promise<void> {
    await this.store.mail.createMailbox((await this.account()).id, name, use)
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end()
    await this.store.close()
  }

  #authenticator(): Authenticator {
    const { directory } = this.store
    return {
      mechanisms: createMechanisms({ random: seededRandom(4422), scram: false, tokens: undefined }),
      scramSalt() {
        throw new Error('no dialogue speaks SCRAM')
      },
      async authenticate(attempt) {
        if (attempt.kind !== 'password') return { ok: false, reason: 'invalid' }
        if (attempt.login === 'broken@one.test') return { ok: false, reason: 'unavailable' }
        if (attempt.login === 'hasty@one.test') return { ok: false, reason: 'throttled' }
        if (attempt.login === 'suspended@one.test') return { ok: false, reason: 'suspended' }
        const login = attempt.login.includes('@') ? attempt.login : `${attempt.login}@one.test`
        const account = await directory.accountByLogin(login)
        if (!account || attempt.password !== password) return { ok: false, reason: 'invalid' }
        return { ok: true, account, actor: account }
      },
    }
  }
}

/** A sample of `test/messages`, with CRLF; text in which `\xNN` is an octet. */
export function sampleMessage(name: string): Buffer {
  if (name === 'large') return largeMessage()
  const text = readFileSync(new URL(`../messages/${name}.eml`, import.meta.url), 'latin1')
  const octets = text.replace(/\\x([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(octets.replace(/\r?\n/g, '\r\n'), 'latin1')
}

/** 200 KB: too large for engines to give its body with the row. */
function largeMessage(): Buffer {
  const line = `${'0123456789'.repeat(7)}\r\n`
  return Buffer.from(`Subject: large\r\nContent-Type: text/plain\r\n\r\n${line.repeat(2800)}`)
}

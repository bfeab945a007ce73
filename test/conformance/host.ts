/**
 * A mail host for dialogues: reception and POP3 over one store, on in-memory connections and a virtual clock, with the
 * domain one.test, the accounts alice, bob and carol (password `secret`), the aliases team@one.test and away@one.test,
 * which leads to another server, and the domain office.test behind it, whose recipients are verified.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import { createMda, createSrs, type Verification } from '@pennypost/mda'
import { type Account, type Deadline, type Store, silentLog } from '@pennypost/model'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { createPop3Service, defaultPop3Limits } from '@pennypost/pop3'
import {
  defaultReceptionLimits,
  openReception,
  type ReceptionOptions,
  type Service,
  SubmissionQuota,
} from '@pennypost/reception'
import { createAuthenticator, createPasswords } from '@pennypost/sasl'
import {
  createConnectionLimiter,
  createTlsMaterial,
  ensureSelfSigned,
  type Listener,
  networkOf,
} from '@pennypost/transport'
import { createDuplexPair } from '@pennypost/transport/duplex-pair'
import { expect } from 'vitest'
import { openCheckedMail } from './checked-mail.ts'

export interface Host extends AsyncDisposable {
  readonly store: Store
  connect(service: string): Promise<Duplex>
  /** An `@` line of a dialogue. */
  direct(word: string, values: readonly string[], at: string): Promise<void>
}

const serverAddress = { address: '127.0.0.1', port: 25 }

export async function openHost(openStore: (clock: ReturnType<typeof virtualClock>) => Promise<Store>): Promise<Host> {
  const clock = virtualClock()
  const random = seededRandom(1)
  const store = await openStore(clock)
  const directory = mkdtempSync(join(tmpdir(), 'pennypost-host-'))
  const certificate = await ensureSelfSigned({ directory, hostname: 'mail.one.test', clock, random })
  const contexts = await createTlsMaterial({ certificates: [certificate], clock, log: silentLog, watchMs: 0 })
  const passwords = createPasswords({ cost: 4 })
  const accounts = await fill(store, passwords, clock.now())
  const settings = { requireTls: true, trusted: new Map<string, Account>() }
  // Errors cost no time here, unless a dialogue is about that.
  const limits = { ...defaultReceptionLimits, tarpitMs: 0 }
  const pop3Limits = { ...defaultPop3Limits, lockWaitMs: 0 }
  const sending = { messagesPerHour: 0, messagesPerDay: 0, recipientsPerHour: 0, recipientsPerDay: 0 }
  const waits = virtualClock()
  const mda = createMda({
    directory: store.directory,
    memory: store.memory,
    srs: createSrs({ secrets: [Buffer.alloc(32, 1)] }),
    clock,
    hostname: 'mail.one.test',
    ownLiterals: [],
    recipientDelimiter: '+',
    administrator: '',
  })
  const authenticator = createAuthenticator({
    directory: store.directory,
    credentials: store.credentials,
    memory: store.memory,
    passwords,
    secret: Buffer.alloc(32, 2),
    networkOf,
    clock,
    random,
    log: silentLog,
  })
  const common = {
    hostname: 'mail.one.test',
    store,
    authenticator,
    clock,
    deadline: deadlineOf(waits),
    random,
    log: silentLog,
  }
  const reception: ReceptionOptions = {
    ...common,
    mda,
    trusted: settings.trusted,
    requireAuth: (service) => service === 'submission' || service === 'submissions',
    offersAuth: (service) => service === 'submission' || service === 'submissions',
    offersTls: (service) => service !== 'submissions',
    get requireTlsForAuth() {
      return settings.requireTls
    },
    receivedShowsClient: false,
    rejectBareNewlines: false,
    sign: async () => '',
    destination: (domain, nextHop) => nextHop ?? domain,
    settledNotices: async () => ({ accept: [], flow: [] }),
    async verifyRecipient({ forwardPath, nextHop = '' }) {
      const said = nextHopSays.get(forwardPath) ?? { answer: 'known', reply: '250 2.1.5 Ok' }
      return { ...said, forwardPath, destination: nextHop, askedAt: clock.now() }
    },
    limits,
  }
  const nextHopSays = new Map<string, Pick<Verification, 'answer' | 'reply'>>()
  const checked = openCheckedMail(clock, 'mail.one.test')
  const peer = { address: '192.0.2.7', port: 4025 }
  const staged = countStages(store)
  const pop3 = createPop3Service({
    ...common,
    get requireTlsForAuth() {
      return settings.requireTls
    },
    admit: () => ({ [Symbol.dispose]() {} }),
    limits: pop3Limits,
  })
  const limiter = createConnectionLimiter({ connections: 0, connectionsPerAddress: 0 })
  const listeners = new Map<string, Listener>()
  const open = async (service: string): Promise<Listener> => {
    const endpoint = { address: '127.0.0.1', port: 0 }
    if (service === 'pop3' || service === 'pop3s') return pop3.listen({ service, endpoint, contexts, limiter })
    return openReception({ service: service as Service, endpoint, contexts, limiter }, reception)
  }
  const listener = async (service: string): Promise<Listener> => {
    const made = listeners.get(service) ?? (await open(service))
    listeners.set(service, made)
    return made
  }
  return {
    store,
    async connect(service) {
      const { client, server } = createDuplexPair()
      const accepting = await listener(service)
      accepting.admit(server, { ...peer }, serverAddress)
      if (!service.endsWith('s')) return client
      const secure = tlsConnect({ socket: client, rejectUnauthorized: false })
      await new Promise<void>((resolve, reject) => {
        secure.once('secureConnect', resolve)
        secure.once('error', reject)
      })
      return secure
    },
    async direct(word, values, at) {
      const [first = '', second = ''] = values
      if (word === 'set' && first === 'require-tls') settings.requireTls = second !== 'off'
      else if (word === 'set' && first === 'pop3-line') pop3Limits.lineLength = Number(second)
      else if (word === 'set' && first in limits) Object.assign(limits, { [first]: Number(second) })
      else if (word === 'limit') {
        Object.assign(sending, { [first]: Number(second) })
        reception.submissionQuota = new SubmissionQuota(sending, store.memory)
      } else if (word === 'set' && first === 'trusted')
        settings.trusted.set(peer.address, accounts.get(second) as Account)
      else if (word === 'check') {
        reception.checks = checked.checks
        if (first !== 'on') checked.set(first, second)
      } else if (word === 'record') checked.record(first, second, values.slice(2).join(' '))
      else if (word === 'broken') checked.breakZone(first)
      else if (word === 'set') set(reception, first, second, at)
      else if (word === 'client') peer.address = first
      else if (word === 'next-hop')
        nextHopSays.set(first, { answer: second as Verification['answer'], reply: values.slice(2).join(' ') })
      else if (word === 'drain') for (const opened of listeners.values()) void opened.close({ drainMs: 60_000 })
      else if (word === 'staged') expect(staged(), at).toBe(Number(first))
      else if (word === 'finding' || word === 'verdict')
        expect(await findings(store), at).toContain(`${first} ${second}`)
      else if (word === 'junk') expect(await count(store, first, 'Junk'), at).toBe(Number(second))
      else if (word === 'advance') await clock.advance(milliseconds(first))
      else if (word === 'wait') await waits.advance(milliseconds(first))
      else if (word === 'copy-sent')
        await store.directory.updateAccount(accounts.get(first)?.id as never, { copySent: true })
      else if (word === 'sent') expect(await count(store, first, 'Sent'), at).toBe(Number(second))
      else if (word === 'suspend')
        await store.directory.updateAccount(accounts.get(first)?.id as never, { suspended: true })
      else if (word === 'mailbox') expect(await count(store, first), at).toBe(Number(second))
      else if (word === 'queue') expect(await queued(store), at).toBe(Number(first))
      else throw new Error(`unknown directive: ${at}`)
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...listeners.values()].map((opened) => opened.close({ drainMs: 0 })))
      await checked[Symbol.asyncDispose]()
      contexts[Symbol.dispose]()
      await store.close()
      rmSync(directory, { recursive: true })
    },
  }
}

/** Socket timeouts that run out only when a dialogue says `@wait`. */
function deadlineOf(waits: ReturnType<typeof virtualClock>): Deadline {
  return {
    after: (delayMs, expire) => waits.after(delayMs, expire),
    signal(delayMs, parent) {
      const own = new AbortController()
      waits.after(delayMs, () => own.abort(new DOMException('timed out', 'TimeoutError')))
      return parent ? AbortSignal.any([own.signal, parent]) : own.signal
    },
  }
}

function milliseconds(text: string): number {
  return Number.parseFloat(text) * (text.endsWith('m') ? 60_000 : 1000)
}

async function fill(store: Store, passwords: ReturnType<typeof createPasswords>, now: number) {
  await store.directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
  const relayed = { name: 'office.test', kind: 'relay', target: 'inside.test', catchAll: '' } as const
  await store.directory.addDomain({ ...relayed, verifyRecipients: true })
  const verifier = await passwords.hash('secret')
  const accounts = new Map<string, Account>()
  for (const name of ['alice', 'bob', 'carol']) {
    const account = await store.directory.addAccount(
      { login: `${name}@one.test`, name, quota: 0, admin: name === 'alice' },
      now,
    )
    await store.credentials.setPassword(account.id, verifier, now)
    accounts.set(account.login, account)
  }
  await store.directory.putAlias({ address: 'team@one.test', targets: ['alice@one.test', 'bob@one.test'] })
  await store.directory.putAlias({ address: 'away@one.test', targets: ['bob@far.test'] })
  return accounts
}

/** An option of reception that is off unless a dialogue is about it. */
function set(options: ReceptionOptions, name: string, value: string, at: string): void {
  if (name === 'proxy' || name === 'xclient') options[name] = value.split(',')
  else if (name === 'longestLine' || name === 'pregreetMs') options[name] = Number(value)
  else if (name === 'rejectUndeclaredUtf8' || name === 'rejectBareNewlines') options[name] = value === 'on'
  else if (name === 'rejectBareCommands') options.rejectBareCommands = value === 'on'
  else if (name === 'verify') options.verify = value as 'nobody'
  else if (name === 'auth-at-mx') options.offersAuth = () => true
  else if (name === 'mayTurn') options.mayTurn = async (node) => (node === value ? [node] : undefined)
  else throw new Error(`unknown setting: ${at}`)
}

/** How many stages are neither finished nor discarded. */
function countStages(store: Store): () => number {
  const open = new Set<object>()
  const stage = store.mail.stage.bind(store.mail)
  store.mail.stage = () => {
    const made = stage()
    const token = {}
    open.add(token)
    return {
      write: (chunk) => made.write(chunk),
      finish() {
        open.delete(token)
        return made.finish()
      },
      discard() {
        open.delete(token)
        return made.discard()
      },
    }
  }
  return () => open.size
}

async function findings(store: Store): Promise<string[]> {
  const found: string[] = []
  for (const id of await store.flow.recent(100)) {
    for (const event of (await store.flow.journey(id))?.events ?? []) {
      if (event.kind === 'finding') found.push(`${event.check} ${event.result}`)
      if (event.kind === 'verified') found.push(`${event.forwardPath} ${event.answer}`)
      if (event.kind === 'verdict') found.push(`${event.verdict} ${event.reason}`)
    }
  }
  return found
}

async function count(store: Store, login: string, mailbox = 'INBOX'): Promise<number> {
  const account = await store.directory.accountByLogin(login)
  const all = account ? await store.mail.mailboxes(account.id) : []
  return all.find(({ name }) => name === mailbox)?.messages ?? -1
}

async function queued(store: Store): Promise<number> {
  let entries = 0
  for await (const page of store.queue.list({})) entries += page.length
  return entries
}

/**
 * A relay over the memory engine, with DNS, peers and time in the hands of a test. Peers are scripted servers by
 * address; an address without one refuses connections.
 */
import { createStaticResolver, zone } from '@pennypost/dns'
import { createMda, createSrs } from '@pennypost/mda'
import {
  type Acceptance,
  createJourneyId,
  type Dialer,
  type FlowEvent,
  type JourneyId,
  type Log,
  type NewQueueEntry,
  type NewQueueRecipient,
  type QueueEntry,
  type QueueEnvelope,
  type Store,
  silentLog,
  systemDeadline,
  UidSet,
} from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { sampleMessage, seededRandom, type VirtualClock, virtualClock } from '@pennypost/model/testing'
import { type Answer, type Script, ScriptedServer, type ScriptedServerOptions } from '@pennypost/smtp/scripted-server'
import { createRelay, createRoutes, type Relay, type RelayOptions, type RouteOptions } from '../src/index.ts'

export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

export const everything = ['PIPELINING', 'SIZE 10000000', '8BITMIME', 'SMTPUTF8', 'DSN', 'ENHANCEDSTATUSCODES']
export const letter = 'From: alice@one.test\nTo: bob@two.test\nSubject: hello\nMessage-ID: <1@one.test>\n\nHello Bob.\n'

/** The answers one after the other over all sessions of a peer; the last one stays. */
export function inTurn(...answers: Answer[]): Script {
  let nth = 0
  return () => answers[Math.min(nth++, answers.length - 1)]
}

export type Row = readonly [name: string, type: 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'TLSA', value: string]

export interface Sending {
  /** '' for null. */
  from?: string
  recipients?: readonly NewQueueRecipient[]
  source?: string | Buffer
  destination?: string
  envelope?: Partial<QueueEnvelope>
  entry?: Partial<NewQueueEntry>
  /** What the checks found when it came. */
  flow?: readonly { check: string; result: string; facts?: { authorDomain: string } }[]
  /** By the clock of who accepted it; absent: by ours. */
  acceptedAt?: number
}

/** A store whose disk can be full: then it takes no content. */
export function onDisk({ store }: PostOffice, disk: { isFull: boolean }): Pick<RelayOptions, 'store'> {
  const stage: typeof store.mail.stage = (...promised) => {
    if (disk.isFull) throw new Error('the file system is full')
    return store.mail.stage(...promised)
  }
  return { store: { ...store, mail: { ...store.mail, stage } } }
}

export class PostOffice implements AsyncDisposable {
  readonly clock: VirtualClock = virtualClock()
  readonly random = seededRandom(7)
  readonly store: Store
  readonly resolver = createStaticResolver([
    zone('test', [
      ['two', 'MX', '10 mx.two'],
      ['mx.two', 'A', '192.0.2.2'],
    ]),
  ])
  readonly srs = createSrs({ secrets: [Buffer.alloc(20, 1)] })
  readonly peers = new Map<string, ScriptedServer>()
  /** `address:port` of each connection asked for, in order. */
  readonly dialled: string[] = []
  readonly logged: { level: string; facts: object; text: string }[] = []
  relay!: Relay
  #options: Partial<RelayOptions> = {}

  constructor() {
    this.store = createMemoryStore({ clock: this.clock, random: this.random })
  }

  static async open(
    options: Partial<RelayOptions> | ((office: PostOffice) => Partial<RelayOptions>) = {},
    routes: Partial<RouteOptions> = {},
  ): Promise<PostOffice> {
    const office = new PostOffice()
    const { directory } = office.store
    await directory.addDomain({ name: 'one.test', kind: 'local', target: '', catchAll: '' })
    await directory.addAccount({ login: 'alice@one.test', name: 'Alice', quota: 0, admin: true }, 0)
    const more = typeof options === 'function' ? options(office) : options
    office.relay = office.createRelay({ routes: createRoutes({ port: 25, ...routes }), ...more })
    office.relay.start()
    return office
  }

  createRelay(options: Partial<RelayOptions> = {}): Relay {
    this.#options = { ...this.#options, ...options }
    return createRelay(this.options)
  }

  get options(): RelayOptions {
    const { store, clock, random, srs, resolver } = this
    const hostname = 'mail.one.test'
    const mda = createMda({
      directory: store.directory,
      memory: store.memory,
      hostname,
      srs,
      clock,
      ownLiterals: [],
      recipientDelimiter: '+',
      administrator: 'alice@one.test',
    })
    return {
      store,
      resolver,
      clock,
      random,
      hostname,
      mda,
      dialer: this.dialer,
      deadline: systemDeadline,
      log: this.log,
      routes: createRoutes({ port: 25 }),
      ...this.#options,
    }
  }

  /** Sets the records of a domain below `test`; `@` is itself, other names are below it. */
  zone(domain: string, rows: readonly Row[]): void {
    const names = Map.groupBy(rows, ([name, type]) => `${name === '@' ? domain : `${name}.${domain}`} ${type}`)
    for (const [key, records] of names) {
      const [name, type] = key.split(' ') as [string, Row[1]]
      const values = records.map(([, , value]) => value)
      this.resolver.zones.set(name, type, type === 'MX' ? values.map((value) => absolute(value, domain)) : values)
    }
  }

  /** A zone below `test` of its own, whose answers DNSSEC vouches for. */
  secureZone(origin: string, rows: readonly Row[]): void {
    this.resolver.zones.put(zone(origin, rows, { authentic: true }))
  }

  /** A server at an address; without options it offers everything. */
  peer(address: string, options: ScriptedServerOptions = {}): ScriptedServer {
    const server = new ScriptedServer({ capabilities: everything, ...options })
    this.peers.set(address, server)
    return server
  }

  get dialer(): Dialer {
    const { secure } = new ScriptedServer().dialer
    return {
      secure,
      connect: async ({ address, port }) => {
        this.dialled.push(`${address}:${port}`)
        const peer = this.peers.get(address)
        if (peer) return peer.connect()
        const where = port === 0 ? address : `${address}:${port}`
        throw Object.assign(new Error(`connect ECONNREFUSED ${where}`), { code: 'ECONNREFUSED' })
      },
    }
  }

  /** Accepts a message for elsewhere, and gives its journey. */
  async accept(sending: Sending = {}): Promise<JourneyId> {
    const { from = 'alice@one.test', recipients = [{ forwardPath: 'bob@two.test' }], source = letter } = sending
    const journey = createJourneyId(this.clock.now(), this.random)
    const { acceptedAt = this.clock.now() } = sending
    const entry: NewQueueEntry = {
      destination: sending.destination ?? 'two.test',
      route: 'remote',
      envelope: {
        reversePath: from,
        smtpUtf8: false,
        requireTls: false,
        autoSubmitted: false,
        ...sending.envelope,
      },
      recipients,
      ...sending.entry,
    }
    const findings = (sending.flow ?? []).map((fact) => ({
      journey,
      at: acceptedAt,
      kind: 'finding' as const,
      ...fact,
    }))
    const received = { service: 'smtp', session: '', peer: '192.0.2.9', forwardPaths: [], size: 0, reversePath: from }
    const acceptance: Acceptance = {
      journey,
      acceptedAt,
      reversePath: from,
      filings: [],
      queue: [entry],
      memory: [],
      flow: [
        ...(sending.flow ? [{ journey, at: acceptedAt, kind: 'received' as const, ...received }] : []),
        ...findings,
      ],
      message: await sampleMessage(this.store.mail, source),
    }
    await this.store.mail.accept([acceptance])
    return journey
  }

  /** Accepts it and lets everything happen that is due. */
  async send(sending: Sending = {}): Promise<JourneyId> {
    const journey = await this.accept(sending)
    await this.advance(0)
    return journey
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms)
  }

  async queue(): Promise<QueueEntry[]> {
    const entries: QueueEntry[] = []
    for await (const page of this.store.queue.list({})) entries.push(...page)
    return entries
  }

  /** The events of a journey in short: `deferred bob@two.test 451 …`. */
  async trace(journey: JourneyId): Promise<string[]> {
    const events = (await this.store.flow.journey(journey))?.events ?? []
    return events.filter(({ kind }) => kind !== 'queued').map(shortEvent)
  }

  async events<Kind extends FlowEvent['kind']>(journey: JourneyId, kind: Kind) {
    const events = (await this.store.flow.journey(journey))?.events ?? []
    return events.filter((event): event is Extract<FlowEvent, { kind: Kind }> => event.kind === kind)
  }

  /** The messages in an account's INBOX, as its reader gets them. */
  async inbox(login = 'alice@one.test'): Promise<string[]> {
    const { mail, directory } = this.store
    const account = await directory.accountByLogin(login)
    const mailboxes = await mail.mailboxes(account!.id)
    const inbox = mailboxes.find(({ name }) => name === 'INBOX')!
    const { uids } = await mail.snapshot(inbox.id)
    const texts: string[] = []
    for await (const page of mail.fetch(inbox.id, UidSet.ofSorted([...uids]), { header: true, body: true })) {
      for (const { header, body, message } of page) {
        const octets: Buffer[] = [header!]
        if (body) octets.push(body)
        else for await (const piece of mail.readBody(message)) octets.push(piece)
        texts.push(Buffer.concat(octets).toString())
      }
    }
    return texts
  }

  get log(): Log {
    const keep =
      (level: string) =>
      (facts: object, text: string): void =>
        void this.logged.push({ level, facts, text })
    const log: Log = {
      debug: silentLog.debug,
      info: keep('info'),
      warn: keep('warn'),
      error: keep('error'),
      child: () => log,
    }
    return log
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.relay.stop(0)
    for (const peer of this.peers.values()) await peer[Symbol.asyncDispose]()
    const errors = this.logged.filter(({ level }) => level === 'error')
    if (errors.length > 0)
      throw new Error(
        `logged: ${errors.map(({ text, facts }) => `${text} ${String((facts as { err?: Error }).err?.stack)}`).join('; ')}`,
      )
  }
}

function absolute(value: string, domain: string): string {
  return value.endsWith('.') ? value : `${value}.${domain}.`
}

function shortEvent(event: FlowEvent): string {
  switch (event.kind) {
    case 'attempt':
      return `attempt ${event.host} ${event.address}${event.error ? ` ${event.error}` : ''}`
    case 'delivered':
      return `delivered ${event.forwardPath} ${event.reply}`
    case 'deferred':
    case 'failed':
      return `${event.kind} ${event.forwardPath} ${event.reply}`
    case 'dsn':
      return `dsn ${event.action} to ${event.to || 'nobody'}`
    default:
      return event.kind
  }
}

import { resolve } from 'node:path'
import { createResolver, createStaticResolver, readSystemServers } from '@pennypost/dns'
import { createImapService, type MessageRead } from '@pennypost/imap'
import { takeSentCopy } from '@pennypost/mda'
import { createSigner } from '@pennypost/message-auth'
import {
  type Account,
  type AccountId,
  type Log,
  type Store,
  systemClock,
  systemDeadline,
  systemRandom,
} from '@pennypost/model'
import { createPop3Service, defaultPop3Limits } from '@pennypost/pop3'
import {
  defaultReceptionLimits,
  type InboundChecks,
  isThisMachine,
  networks,
  type ReceptionOptions,
  type Service,
  SubmissionQuota,
} from '@pennypost/reception'
import { createDialProbe, createRelay, createRoutes } from '@pennypost/relay'
import { type Authenticator, createAuthenticator, createPasswords, type Passwords } from '@pennypost/sasl'
import type { SqliteStore } from '@pennypost/storage-sqlite'
import { createConnectionLimiter, createDialer, type Listener, networkOf, type TlsMaterial } from '@pennypost/transport'
import type { Config, ListenerConfig } from '../config/schema.ts'
import { version } from '../config/version.ts'
import { wantedListeners } from '../config/wanted-listeners.ts'
import { certificateNames } from './certificate-names.ts'
import { openCertificates } from './certificates.ts'
import { openContentFilters } from './content-filters.ts'
import { startHousekeeping } from './housekeeping.ts'
import { type HttpService, openHttp } from './http.ts'
import { openInboundChecks } from './inbound-checks.ts'
import { clientSettings, ownStsPolicy } from './installation.ts'
import { openListener, type Services } from './listeners.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { bearableConnections } from './open-files.ts'
import { AccountPlaces } from './places.ts'
import { recipientsOf, relayOptions, routeOptions } from './relaying.ts'
import { diskFacts, openAdministration } from './running.ts'
import { readSecretFile } from './secret-file.ts'
import { loadSecrets } from './secrets.ts'
import type { SiteOptions } from './site-pages.ts'
import { openServedStore, type ServedStoreOptions } from './store.ts'
import { fetching, turning } from './turning.ts'

/**
 * The running server: every part made once, in the order in which they need each other, and taken down in the reverse
 * order. The only place that knows all packages. `serve.ts` calls it; tests and the benchmark start it in process.
 */
export interface RunningServer {
  readonly listeners: readonly Listener[]
  readonly http: readonly HttpService[]
  readonly store: Store
  /** Reads certificates anew. */
  reload(): Promise<void>
  /** Drains: no new connections, running work ends, at most `drainMs`; then the store is closed. */
  stop(drainMs: number): Promise<void>
  /**
   * The store has failed: nothing more is accepted or sent, and every client is told so as far as it listens, within
   * `drainMs`. Nothing is closed in good order but the connections: what is left to do is to end the process.
   */
  abandon(drainMs: number): Promise<void>
}

export interface ServerOptions extends ServedStoreOptions {
  demo: boolean
  /** The newest errors of the log. */
  errors(): readonly { at: number; text: string }[]
  /** Runs when the store is open, before anything listens. */
  prepare?(store: Store, passwords: Passwords): Promise<void>
}

const clock = systemClock
const deadline = systemDeadline
const random = systemRandom

/**
 * Opens everything; resolves when every listener accepts. Rejects, with what was opened closed again. `storeOpening`: the
 * store, where the caller has begun to open it before this module was loaded; it is the server's from here on.
 */
export async function startServer(
  options: ServerOptions,
  storeOpening: Promise<SqliteStore> = openServedStore(options),
): Promise<RunningServer> {
  const { config, log } = options
  const dataDirectory = resolve(options.base, config.data_dir)
  await using opening = new AsyncDisposableStack()
  const store = await storeOpening
  opening.defer(() => store.close())
  const passwords = createPasswords()
  await options.prepare?.(store, passwords)
  if ((await store.directory.domains()).length === 0) {
    log.warn({ dataDirectory }, 'there is no domain: all mail that comes is put off')
  }
  const trusted = new Map<string, Account>()
  const endSessions = (account: AccountId) => void parts.services.places.endAll(account)
  opening.use(await startHousekeeping({ store, config, clock, log, trusted, endSessions }))

  const names = () => certificateNames({ config, directory: store.directory, resolver: parts.resolver })
  const { tls, keeper } = await openCertificates({ ...options, dataDirectory, names, clock, random })
  opening.use(tls)
  const metrics = createMetrics({
    store,
    clock,
    sessions: () => sessionCounts(listeners),
    certificates: () => tls.certificates.map(({ files, notAfter }) => ({ file: files.cert, notAfter })),
    freeDisk: async () => (await diskFacts(dataDirectory)).free,
  })
  const foundation: Foundation = { ...options, store, passwords, dataDirectory, trusted, tls, metrics }
  const parts = await openParts(foundation, opening)
  const listeners: Listener[] = []
  for (const listener of wantedListeners(config).filter(({ service }) => service !== 'http')) {
    const opened = await openListener(listener, parts.services, options.base)
    opening.defer(async () => void (await opened.close({ drainMs: 0 })))
    listeners.push(opened)
  }
  const http: HttpService[] = []
  for (const listener of wantedListeners(config).filter(({ service }) => service === 'http')) {
    const opened = await openHttpListener(listener, foundation)
    opening.defer(() => opened.close())
    http.push(opened)
  }
  if (config.roles.includes('relay')) parts.relay.start()
  opening.defer(() => parts.relay.stop(0))
  opening.use(await openAdministration({ ...foundation, ...parts, listeners: [...listeners, ...http], keeper }))
  if (keeper) opening.use(keeper).start()
  const held = opening.move()
  return {
    listeners,
    http,
    store,
    reload: () => tls.reload(),
    async stop(drainMs) {
      await Promise.all([...listeners.map((listener) => listener.close({ drainMs })), parts.relay.stop(drainMs)])
      await held.disposeAsync()
    },
    async abandon(drainMs) {
      parts.relay.stop(0).catch(() => {})
      await Promise.all(listeners.map((listener) => listener.close({ drainMs })))
    },
  }
}

type Foundation = ServerOptions & {
  store: SqliteStore
  passwords: Passwords
  dataDirectory: string
  trusted: ReadonlyMap<string, Account>
  tls: TlsMaterial
  metrics: Metrics
}

/** The services and the relay, over the store. */
async function openParts(foundation: Foundation, opening: AsyncDisposableStack) {
  const { config, log, store, passwords, dataDirectory } = foundation
  const secrets = await loadSecrets(dataDirectory, random)
  const authenticator = createAuthenticator({
    directory: store.directory,
    credentials: store.credentials,
    memory: store.memory,
    passwords,
    secret: secrets.appPasswords,
    networkOf,
    clock,
    random,
    log,
    limits: { failuresPerMinute: config.limits.auth_failures_per_minute },
    scram: config.auth.scram,
    ...(config.auth.tokens && { tokens: await openTokenCheck(foundation, config.auth.tokens) }),
  })
  const delivery = await openDelivery(foundation, secrets.srs, opening)
  const places = new AccountPlaces(config.limits.connections_per_account)
  const reception: ReceptionOptions = {
    ...receptionOptions(foundation, authenticator, delivery),
    follow: (account, actor, end) => places.follow(account, actor, end),
  }
  const services: Services = {
    reception,
    receptionWithAuth: { ...reception, offersAuth: () => true },
    ...readingServices(foundation, authenticator, places, {
      messageSize: reception.limits.messageSize,
      urlSecret: secrets.urls,
    }),
    places,
    contexts: foundation.tls,
    site: siteOptions(foundation),
    limiter: createConnectionLimiter({
      connections: bearableConnections(config.limits.connections, log),
      connectionsPerAddress: config.limits.connections_per_address,
    }),
    siteLimiter: createConnectionLimiter({
      connections: 0,
      connectionsPerAddress: config.limits.connections_per_address,
    }),
    strangerLimiter: createConnectionLimiter({
      connections: 0,
      connectionsPerAddress: config.limits.connections_per_stranger,
    }),
    isStranger: strangersBy(config),
    deadline,
    log,
  }
  return { ...delivery, services, reception, appPasswordSecret: secrets.appPasswords, clock, deadline, random }
}

async function openTokenCheck({ base }: Foundation, tokens: NonNullable<Config['auth']['tokens']>) {
  const { createIntrospection } = await import('./token-introspection.ts')
  return createIntrospection({
    url: tokens.introspection_url,
    clientId: tokens.client_id,
    clientSecret: await readSecretFile(base, tokens.client_secret_file),
    loginClaim: tokens.login_claim,
    scope: tokens.scope,
    discoveryUrl: tokens.discovery_url,
    deadline,
    fetch,
  })
}

type Delivery = Awaited<ReturnType<typeof openDelivery>>

/** What decides about recipients, and what carries mail on. */
async function openDelivery(foundation: Foundation, srsSecret: Buffer, opening: AsyncDisposableStack) {
  const { config, log, dataDirectory } = foundation
  const mda = recipientsOf({ ...foundation, srsSecret })
  const signer = createSigner({ keyDirectory: resolve(dataDirectory, 'dkim'), clock, log })
  const routes = createRoutes(await routeOptions(foundation))
  const resolver = foundation.demo ? createStaticResolver([]) : await openResolver(config, log)
  if ('close' in resolver) opening.defer(() => resolver.close())
  const dialer = createDialer({ deadline })
  const filters = await openContentFilters({ config, base: foundation.base, dialer, clock, log })
  const inbound = openInboundChecks(config, { resolver, clock, deadline, log }, filters)
  opening.use(inbound)
  const relaying = await relayOptions(foundation, { resolver, dialer, routes, mda, signer })
  const relay = createRelay(relaying)
  const checks: InboundChecks = { ...inbound.checks, onAggregateRow: relay.noteDmarc }
  return { probe: createDialProbe(relaying), mda, signer, routes, resolver, dialer, relay, checks }
}

function receptionOptions(foundation: Foundation, authenticator: Authenticator, delivery: Delivery): ReceptionOptions {
  const { config, log, store } = foundation
  const { mda, signer, routes, relay, checks } = delivery
  const { message_size: messageSize, recipients } = config.limits
  const { tarpit } = config.policy
  const turn = { directory: store.directory, routes, relay, log }
  return {
    hostname: config.hostname,
    store,
    authenticator,
    clock,
    deadline,
    random,
    log,
    mda,
    checks,
    trusted: foundation.trusted,
    requireAuth: wantsLogin,
    offersAuth: wantsLogin,
    offersTls: (service) => service !== 'submissions',
    requireTlsForAuth: config.policy.require_tls_for_auth,
    ...submissionQuota(config, store),
    receivedShowsClient: config.submission.show_client,
    ...contentPolicy(config),
    pregreetMs: config.policy.pregreet,
    sign: (message) => signer.sign(message),
    ...(config.policy.arc_seal ? { seal: (message) => signer.seal(message) } : {}),
    async verifyRecipient(delivery) {
      const verification = await relay.verifyRecipient(delivery)
      foundation.metrics.onVerified(verification.answer)
      return verification
    },
    destination: (...to) => routes.destination(...to),
    ...(config.relay.turn.length > 0
      ? { mayTurn: turning(config.relay.turn, turn), turnRound: fetching(config.relay.turn, turn) }
      : {}),
    settledNotices: (facts) => relay.settledNotices(facts),
    onOutcome: (outcome, octets) => foundation.metrics.onReceived(outcome, octets),
    onVerdict: (action, reason) => foundation.metrics.onVerdict(action, reason),
    limits: {
      ...defaultReceptionLimits,
      messageSize: messageSize === 0 ? Number.MAX_SAFE_INTEGER : messageSize,
      recipients,
      tarpitMs: tarpit,
      tarpitMaxMs: tarpit * 10,
    },
  }
}

/** Whose connections to the MX are few: those whose mail is checked, as far as nobody has logged in. */
function strangersBy({ policy, submission }: Config): (address: string) => boolean {
  const isKnown = networks([...policy.exempt, ...submission.trusted.map(({ address }) => address)])
  return (address) => !isThisMachine(address) && !isKnown(address)
}

/** Over which services nobody is heard who has not logged in. */
function wantsLogin(service: Service): boolean {
  return service === 'submission' || service === 'submissions' || service === 'odmr'
}

/** Nothing is counted where nothing is limited. */
function submissionQuota({ submission }: Config, { memory }: Store): Pick<ReceptionOptions, 'submissionQuota'> {
  const limits = {
    messagesPerHour: submission.messages_per_hour,
    messagesPerDay: submission.messages_per_day,
    recipientsPerHour: submission.recipients_per_hour,
    recipientsPerDay: submission.recipients_per_day,
  }
  const isLimited = Object.values(limits).some((limit) => limit > 0)
  return isLimited ? { submissionQuota: new SubmissionQuota(limits, memory) } : {}
}

function contentPolicy({ policy }: Config) {
  return {
    rejectBareNewlines: policy.bare_newline === 'reject',
    rejectBareCommands: policy.bare_newline_command === 'reject',
    verify: policy.verify,
    rejectUndeclaredUtf8: policy.undeclared_utf8 === 'reject',
    ...(policy.longest_line > 0 ? { longestLine: policy.longest_line } : {}),
  }
}

/** POP3 and IMAP. */
function readingServices(
  foundation: Foundation,
  authenticator: Authenticator,
  places: AccountPlaces,
  { messageSize, urlSecret }: { messageSize: number; urlSecret: Buffer },
) {
  const { config, log, store, demo } = foundation
  const { require_tls_for_auth: requireTlsForAuth } = config.policy
  const common = { hostname: config.hostname, authenticator, requireTlsForAuth, clock, deadline, random, log }
  const pop3 = createPop3Service({
    ...common,
    store,
    admit: (account, actor, end) => places.take(account, actor, end),
    ...(demo ? { onRead: (read) => noteRead(foundation, read, 'pop3') } : {}),
    limits: defaultPop3Limits,
  })
  const imap = createImapService({
    ...common,
    mail: store.mail,
    sharing: store.sharing,
    annotations: store.annotations,
    directory: store.directory,
    administrator: config.admin.address ? `mailto:${config.admin.address}` : undefined,
    disable: config.imap.disable,
    compress: config.imap.compress,
    offersTls: true,
    serverId: { name: 'Pennypost', version: version() },
    urlSecret,
    admit: (account, actor, end) => places.take(account, actor, end),
    usage: (account) => usageOf(store, account),
    supersededCopy: (account, messageId) => takeSentCopy(store.memory, account, messageId, clock.now()),
    ...(demo ? { onRead: (read) => noteRead(foundation, read, 'imap') } : {}),
    limits: { message: messageSize },
  })
  return { pop3, imap }
}

async function openResolver(config: Config, log: Log) {
  const servers = config.dns.servers.length > 0 ? config.dns.servers : await readSystemServers()
  return createResolver({ servers, dnssec: config.dns.dnssec, clock, deadline, random, log })
}

function siteOptions({ config, store }: Foundation): SiteOptions {
  return { directory: store.directory, policy: ownStsPolicy(config), clientSettings: clientSettings(config), clock }
}

function openHttpListener({ address, port }: ListenerConfig, foundation: Foundation): Promise<HttpService> {
  const { metrics, store, log } = foundation
  return openHttp({
    // The configuration takes no other.
    address: address as string,
    port: port as number,
    metrics,
    site: siteOptions(foundation),
    log,
    ailments: () => ailmentsOf(store),
  })
}

/** A server can do its work when its store answers: it ends by itself when the store can write no more. */
async function ailmentsOf({ queue }: Store): Promise<readonly string[]> {
  try {
    await queue.nextDueAt()
    return []
  } catch (error) {
    return [`the store does not answer: ${(error as Error).message}`]
  }
}

/** Who reads what is nobody's business: kept in the demo only, whose mail is nobody's. */
function noteRead({ store, log }: Foundation, { journey, login: by, session }: MessageRead, protocol: 'imap' | 'pop3') {
  store.flow
    .record([{ journey, at: clock.now(), kind: 'read', by, protocol, session }])
    .catch((error: unknown) => log.error({ err: error }, 'reading not recorded'))
}

/** What QUOTA says. */
async function usageOf({ directory }: Store, account: AccountId) {
  const used = await directory.usage(account)
  return { ...used, octetLimit: (await directory.account(account))?.quota ?? 0, messageLimit: 0 }
}

function sessionCounts(listeners: readonly Listener[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { service, open } of listeners) counts.set(service, (counts.get(service) ?? 0) + open)
  return counts
}

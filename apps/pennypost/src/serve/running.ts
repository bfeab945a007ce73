import { statfs } from 'node:fs/promises'
import type { CertificateKeeper } from '@pennypost/acme'
import {
  type AdminContext,
  type LocalOutcome,
  type LocalSubmission,
  type ServerFacts,
  submitLocally,
} from '@pennypost/admin'
import { type Clock, type Deadline, type Dialer, type Log, type Resolver, steadiness } from '@pennypost/model'
import type { ReceptionOptions } from '@pennypost/reception'
import type { Relay } from '@pennypost/relay'
import type { Passwords } from '@pennypost/sasl'
import { type SqliteStore, sqliteLimits } from '@pennypost/storage-sqlite'
import type { Listener, TlsMaterial } from '@pennypost/transport'
import { spoolDirectory } from '../config/place.ts'
import type { Config } from '../config/schema.ts'
import { version } from '../config/version.ts'
import { type ClosedListener, closedListeners } from '../config/wanted-listeners.ts'
import { adminContext, openAdminSocket } from './administration.ts'
import { backUpDirectory } from './backup-directory.ts'
import type { Services } from './listeners.ts'
import { openLocalSubmissions } from './local-submission.ts'
import { takeSpool } from './spool.ts'

/** What only a running server can do for the verbs, behind its admin socket. */
export interface RunningParts {
  config: Config
  dataDirectory: string
  store: SqliteStore
  passwords: Passwords
  appPasswordSecret: Buffer
  resolver: Resolver
  reception: ReceptionOptions
  relay: Relay
  probe: AdminContext['probe'] & {}
  services: Services
  listeners: readonly ListenerState[]
  tls: TlsMaterial
  keeper: CertificateKeeper | undefined
  dialer: Dialer
  errors: () => ServerFacts['errors']
  clock: Clock
  deadline: Deadline
  random: AdminContext['random']
  log: Log
}

type ListenerState = Pick<Listener, 'service' | 'bound' | 'open'>

/** Opens the admin socket and the local submission socket; disposing closes them. Rejects with neither open. */
export async function openAdministration(parts: RunningParts): Promise<AsyncDisposable> {
  const { dataDirectory, store, clock, deadline, log, relay, services } = parts
  const startedAt = clock.now()
  await using opening = new AsyncDisposableStack()
  const submissions = await openLocalSubmissions(parts)
  opening.defer(async () => void (await submissions.close()))
  const context = adminContext({
    ...parts,
    running: {
      submit: (message) => submissions.submit(message),
      failEntries: (entries) => relay.failNow(entries),
      rereadOrders: () => relay.rereadOrders(),
      forgive: (destinations) => relay.forgive(destinations),
      endSessions: (account) => services.places.endAll(account),
      async facts() {
        return {
          version: version(),
          startedAt,
          listeners: [...parts.listeners.map(listenerFacts), ...closedListeners(parts.config).map(closedFacts)],
          worksQueue: parts.config.roles.includes('relay'),
          certificates: parts.tls.certificates.map(({ files, names, notBefore, notAfter, selfSigned }) => ({
            file: files.cert,
            names,
            notBefore,
            notAfter,
            selfSigned,
          })),
          unproved: parts.keeper?.unproved ?? [],
          errors: parts.errors(),
          search: store.stats().search,
          unasked: relay.unasked(),
          disk: await diskFacts(dataDirectory),
        }
      },
    },
    onAuditLost: (record, error) => log.error({ record, error: error.message }, 'the audit record cannot be written'),
    backUp: (target, options) => backUpDirectory(store, dataDirectory, target, options),
  })
  const socket = await openAdminSocket(context, dataDirectory, log)
  opening.defer(() => socket.close(deadline.signal(2_000)))
  opening.use(followSpool(parts, (message) => submitLocally(context, message)))
  return opening.move()
}

/** Of the file system that the directory lies on. */
export async function diskFacts(directory: string): Promise<ServerFacts['disk']> {
  const { bavail, blocks, bsize } = await statfs(directory)
  const { reserveShare, reserveOctets } = sqliteLimits
  return {
    directory,
    free: bavail * bsize,
    total: blocks * bsize,
    reserve: Math.min(blocks * bsize * reserveShare, reserveOctets),
  }
}

const spoolEveryMs = 60_000
/** As long as the queue tries by default: who is full for so long will not have it. */
const spoolExpiresMs = 5 * 86_400_000

/** Takes what local programs spooled while no server ran: at once, and now and then what could not be taken yet. */
function followSpool(
  { dataDirectory, clock, log }: RunningParts,
  submit: (message: LocalSubmission) => Promise<LocalOutcome>,
): AsyncDisposable {
  const ending = new AbortController()
  let running = Promise.resolve()
  let timer: Disposable | undefined
  const settling = new Map<string, LocalOutcome>()
  const isSteady = steadiness(clock)
  // What a server that was off or a clock that jumped made old is tried for a day.
  const tooOldBefore = () => (isSteady() ? clock.now() - spoolExpiresMs : 0)
  const take = async (): Promise<void> => {
    const directory = spoolDirectory({ dataDirectory })
    const taken = await takeSpool(directory, tooOldBefore(), submit, ending.signal, settling)
    if (taken.submitted + taken.left + taken.refused.length === 0) return
    log[taken.refused.length > 0 ? 'warn' : 'info'](taken, 'spool taken')
  }
  const go = async (): Promise<void> => {
    using _busy = clock.busy('spool')
    running = take()
      .catch((error: unknown) => log.error({ err: error }, 'spool not taken'))
      .then(() => {
        if (!ending.signal.aborted) timer = clock.after(spoolEveryMs, go)
      })
    await running
  }
  void go()
  return {
    async [Symbol.asyncDispose]() {
      ending.abort()
      timer?.[Symbol.dispose]()
      await running
    },
  }
}

function closedFacts({ service, address, roles }: ClosedListener): ServerFacts['listeners'][number] {
  return { service, address, sessions: 0, lacksRoles: roles }
}

function listenerFacts({ service, bound, open }: ListenerState): ServerFacts['listeners'][number] {
  const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address
  return { service, address: bound.port === 0 ? bound.address : `${host}:${bound.port}`, sessions: open }
}

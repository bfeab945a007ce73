import type { AdminContext, ServerFacts } from '@pennypost/admin'
import type { Clock, Deadline, Dialer, Log, Resolver } from '@pennypost/model'
import type { ReceptionOptions } from '@pennypost/reception'
import type { Relay } from '@pennypost/relay'
import type { Passwords } from '@pennypost/sasl'
import type { SqliteStore } from '@pennypost/storage-sqlite'
import type { Listener, TlsMaterial } from '@pennypost/transport'
import type { Config } from '../config/schema.ts'
import { adminContext, directorySize, diskFacts, openAdminSocket } from './administration.ts'
import type { Services } from './listeners.ts'
import { openLocalSubmissions } from './local-submission.ts'

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
  services: Services
  listeners: readonly Listener[]
  tls: TlsMaterial
  /** The certificate file that was made for want of a configured one. */
  selfSigned: string | undefined
  dialer: Dialer
  errors: () => ServerFacts['errors']
  clock: Clock
  deadline: Deadline
  random: AdminContext['random']
  log: Log
}

/** Opens the admin socket and the local submission socket; disposing closes them. */
export async function openAdministration(parts: RunningParts): Promise<AsyncDisposable> {
  const { dataDirectory, store, clock, deadline, log, relay, services } = parts
  const startedAt = clock.now()
  const submissions = await openLocalSubmissions(parts)
  const context = adminContext({
    ...parts,
    running: {
      submit: (message) => submissions.submit(message),
      failEntries: (entries) => relay.failNow(entries),
      endSessions: (account) => services.places.endAll(account),
      async facts() {
        return {
          version,
          startedAt,
          listeners: parts.listeners.map(listenerFacts),
          certificates: parts.tls.certificates.map(({ files, names, notAfter }) => ({
            file: files.cert,
            names,
            notAfter,
            selfSigned: files.cert === parts.selfSigned,
          })),
          errors: parts.errors(),
          disk: await diskFacts(dataDirectory),
        }
      },
    },
    backUp: async (target, progress) => {
      progress(0, 1)
      await store.backup(target)
      const octets = await directorySize(target)
      progress(octets, octets)
      return octets
    },
  })
  const socket = await openAdminSocket(context, dataDirectory, log)
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all([socket.close(deadline.signal(2_000)), submissions.close()])
    },
  }
}

export const version = '0.1.0'

function listenerFacts({ service, bound, open }: Listener): ServerFacts['listeners'][number] {
  const host = bound.address.includes(':') ? `[${bound.address}]` : bound.address
  return { service, address: bound.port === 0 ? bound.address : `${host}:${bound.port}`, sessions: open }
}

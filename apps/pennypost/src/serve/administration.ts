import { join } from 'node:path'
import {
  type AdminContext,
  type AdminServer,
  type AuditRecord,
  createAdminServer,
  createAuditFile,
  operations,
} from '@pennypost/admin'
import type { Log } from '@pennypost/model'
import { hopKey, parseHop } from '@pennypost/relay/hop'
import { appPasswordVerifier, importVerifier, type Passwords, usableScramVerifier } from '@pennypost/sasl'
import { adminSocket, spoolDirectory } from '../config/place.ts'
import type { Config } from '../config/schema.ts'
import { installationOf } from './installation.ts'
import { spoolFacts } from './spool.ts'

/** What operations of administration work with, in the running server and in verbs that open the data by themselves. */
export interface ContextParts
  extends Pick<AdminContext, 'store' | 'resolver' | 'clock' | 'random' | 'running' | 'probe' | 'backUp'> {
  config: Config
  dataDirectory: string
  passwords: Passwords
  appPasswordSecret: Buffer
  /** Gets an audit record that could not be written. */
  onAuditLost(record: AuditRecord, error: Error): void
}

export function adminContext(parts: ContextParts): AdminContext {
  const { config, dataDirectory, passwords, appPasswordSecret } = parts
  const { store, clock, random, resolver, running, probe, backUp } = parts
  return {
    store,
    clock,
    random,
    resolver,
    running,
    probe,
    backUp,
    spool: () => spoolFacts(spoolDirectory({ dataDirectory })),
    credentials: {
      hash: (password) => passwords.hash(password),
      importHash: importVerifier,
      appPasswordVerifier: (password) => appPasswordVerifier(appPasswordSecret, password),
      isScramReady: (login, scram) => usableScramVerifier(appPasswordSecret, login, scram) !== undefined,
    },
    nextHopKey(text) {
      const hop = parseHop(text, config.relay.port)
      return hop && hopKey(hop)
    },
    capabilityNames: async () => (await import('@pennypost/imap')).capabilityNames(),
    installation: installationOf(config, { dataDirectory }),
    audit: createAuditFile(join(dataDirectory, 'audit.log'), parts.onAuditLost),
  }
}

export function openAdminSocket(context: AdminContext, dataDirectory: string, log: Log): Promise<AdminServer> {
  return createAdminServer({ operations, context, path: adminSocket({ dataDirectory }), log })
}

import { readdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AdminContext,
  type AdminServer,
  type AuditRecord,
  createAdminServer,
  createAuditFile,
  operations,
  type ServerFacts,
} from '@pennypost/admin'
import type { Clock, Log, Random, Resolver, Store } from '@pennypost/model'
import { hopKey, parseHop } from '@pennypost/relay/hop'
import { appPasswordVerifier, importVerifier, type Passwords, usableScramVerifier } from '@pennypost/sasl'
import { adminSocket } from '../config/place.ts'
import type { Config } from '../config/schema.ts'
import { installationOf } from './installation.ts'

/** What operations of administration work with, in the running server and in verbs that open the data by themselves. */
export interface ContextParts {
  config: Config
  dataDirectory: string
  store: Store
  passwords: Passwords
  appPasswordSecret: Buffer
  resolver: Resolver
  clock: Clock
  random: Random
  /** Gets an audit record that could not be written. */
  onAuditLost(record: AuditRecord, error: Error): void
  running?: AdminContext['running']
  probe?: AdminContext['probe']
  backUp?: AdminContext['backUp']
}

export function adminContext(parts: ContextParts): AdminContext {
  const {
    config,
    dataDirectory,
    store,
    passwords,
    appPasswordSecret,
    resolver,
    clock,
    random,
    running,
    probe,
    backUp,
  } = parts
  return {
    store,
    clock,
    random,
    resolver,
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
    ...(running ? { running } : {}),
    ...(probe ? { probe } : {}),
    ...(backUp ? { backUp } : {}),
  }
}

export function openAdminSocket(context: AdminContext, dataDirectory: string, log: Log): Promise<AdminServer> {
  return createAdminServer({ operations, context, path: adminSocket({ dataDirectory }), log })
}

/** The least that a store keeps free of the disk: 5 %, at most 256 MB. */
export async function diskFacts(directory: string): Promise<ServerFacts['disk']> {
  const { bavail, blocks, bsize } = await statfs(directory)
  const total = blocks * bsize
  return { directory, free: bavail * bsize, total, reserve: Math.min(total * 0.05, 256 * 1024 * 1024) }
}

/** Octets of all files in a directory and below. */
export async function directorySize(directory: string): Promise<number> {
  let octets = 0
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) octets += (await stat(join(entry.parentPath, entry.name))).size
  }
  return octets
}

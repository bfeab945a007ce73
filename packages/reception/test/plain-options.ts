/** The least that reception needs: no TLS, no AUTH, no keys, no checks. For tests and the bench. */
import { createMda, createSrs } from '@pennypost/mda'
import type { Clock, Deadline, Log, Random, Store } from '@pennypost/model'
import { createAuthenticator, createPasswords } from '@pennypost/sasl'
import { networkOf } from '@pennypost/transport'
import { defaultReceptionLimits, type ReceptionOptions } from '../src/index.ts'

export interface Surroundings {
  hostname: string
  store: Store
  clock: Clock
  deadline: Deadline
  random: Random
  log: Log
}

export function plainOptions({ hostname, store, clock, deadline, random, log }: Surroundings): ReceptionOptions {
  const { directory, credentials, memory } = store
  const srs = createSrs({ secrets: [Buffer.alloc(32, 1)] })
  const names = { hostname, ownLiterals: [], recipientDelimiter: '+', administrator: '' }
  const passwords = createPasswords({ cost: 4 })
  const secret = Buffer.alloc(32, 2)
  return {
    hostname,
    store,
    mda: createMda({ directory, memory, srs, clock, ...names }),
    authenticator: createAuthenticator({
      directory,
      credentials,
      memory,
      passwords,
      secret,
      networkOf,
      clock,
      random,
      log,
    }),
    trusted: new Map(),
    requireAuth: () => false,
    offersAuth: () => false,
    offersTls: () => false,
    requireTlsForAuth: true,
    receivedShowsClient: false,
    rejectBareNewlines: false,
    sign: async () => '',
    destination: (domain) => domain,
    settledNotices: async () => ({ accept: [], flow: [] }),
    clock,
    deadline,
    random,
    log,
    limits: defaultReceptionLimits,
  }
}

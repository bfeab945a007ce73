/** Puts the ports of the memory engine over one state. */
import { type SearchText, type Store, type StoreLimits, storeLimits } from '../ports/store.ts'
import type { Clock, Random } from '../ports/time.ts'
import { createAnnotations } from './annotations.ts'
import { createArrival } from './arrival.ts'
import { asciiSearchText } from './ascii-search-text.ts'
import { createChanges } from './changes.ts'
import { findFaults } from './check.ts'
import { createCredentials } from './credentials.ts'
import { createDirectory } from './directory.ts'
import { createFlow } from './flow.ts'
import { createMailboxes } from './mailboxes.ts'
import { createMessages } from './messages.ts'
import { createPolicyMemory } from './policy-memory.ts'
import { createQueue } from './queue.ts'
import { createSharing } from './sharing.ts'
import { requireOpen, type State } from './state.ts'

export interface MemoryStoreOptions {
  clock: Clock
  random: Random
  /** Absent: one that knows ASCII and no MIME. */
  searchText?: SearchText
  /** `octets`: for how much content there is room; absent: any. */
  limits?: Partial<StoreLimits & { octets: number }>
}

/**
 * All ports in memory: the executable specification that other engines are compared with, and the store of tests.
 * Nothing survives the process; every verb takes effect at once.
 */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const state = emptyState(options)
  const close = async (): Promise<void> => {
    state.closed = true
  }
  return {
    mail: { ...createArrival(state), ...createMailboxes(state), ...createChanges(state), ...createMessages(state) },
    sharing: createSharing(state),
    annotations: createAnnotations(state),
    queue: createQueue(state),
    directory: createDirectory(state),
    credentials: createCredentials(state),
    flow: createFlow(state),
    memory: createPolicyMemory(state),
    async *check() {
      requireOpen(state)
      yield* findFaults(state)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function emptyState({ clock, random, searchText = asciiSearchText, limits }: MemoryStoreOptions): State {
  return {
    clock,
    random,
    searchText,
    limits: { ...storeLimits, octets: Number.POSITIVE_INFINITY, ...limits },
    closed: false,
    promised: 0,
    lastId: 0,
    domains: new Map(),
    accounts: new Map(),
    aliases: new Map(),
    credentials: new Map(),
    mailboxes: new Map(),
    pins: new Set(),
    annotations: [],
    messages: new Map(),
    queue: new Map(),
    journeys: new Map(),
    memory: new Map(),
    fingerprints: new Map(),
    mailWatchers: new Set(),
    queueWatchers: new Set(),
    directoryVersion: 0,
    credentialsVersion: 0,
  }
}

/** Every bound of the relay, in one place. */
export interface RelayLimits {
  /** Queue entries worked on at once, those that wait for a connection or for their settlement included. */
  attempts: number
  /** Entries besides these that wait for the first connection of a destination, which is being opened or is silent. */
  stuck: number
  /** Of all of these for one destination. More than its connections, so that a settlement never leaves a connection idle. */
  leasesPerDestination: number
  connectionsPerDestination: number
  /** Connections kept open without work, in all. */
  keptConnections: number
  /** For how long a connection is kept open without work. */
  idleMs: number
  /** Mail transactions over one connection before it is closed. */
  transactionsPerConnection: number
  /** MX hosts of one domain that are looked at, best first. */
  hosts: number
  /** Addresses that one attempt tries. */
  addresses: number
  /** Connections over which one attempt begins its transactions anew after it lost one. */
  sessions: number
  /** Patience for one TCP connection. */
  connectMs: number
  /**
   * An address that could not be reached is tried after all others for so long (RFC 5321 §4.5.4.1): over the first steps of
   * the schedule, so that an attempt that met nobody is followed by one that asks others.
   */
  unreachableMs: number
  /** A destination that could not be had is left alone for so long, twice as long each time, up to the second. */
  backOffMs: number
  backOffMaxMs: number
  /** A lease on a queue entry; renewed at a third of it. Also how often the queue is looked at without any wake. */
  leaseMs: number
  /** How long the store is left alone after it failed. */
  troubleMs: number
  /** Octets of a message that a bounce returns whole. */
  returnedOctets: number
  /** How long a recipient waits for what its next hop says of it. */
  verifyMs: number
  /** Of one next hop that are asked at once, and that wait for their turn. */
  questions: number
  questionsWaiting: number
  /** Answers that are kept, of each kind, and for how long. */
  answersKept: number
  knownMs: number
  refusedMs: number
  unsaidMs: number
  /** A next hop from which nothing was to be heard is asked nothing for so long. */
  silentMs: number
}

export const defaultRelayLimits: RelayLimits = {
  attempts: 600,
  stuck: 3000,
  leasesPerDestination: 60,
  connectionsPerDestination: 20,
  keptConnections: 100,
  idleMs: 5000,
  transactionsPerConnection: 100,
  hosts: 20,
  addresses: 10,
  sessions: 2,
  connectMs: 30_000,
  unreachableMs: 20 * 60_000,
  backOffMs: 60_000,
  backOffMaxMs: 15 * 60_000,
  leaseMs: 10 * 60_000,
  troubleMs: 10_000,
  returnedOctets: 1024 * 1024,
  verifyMs: 10_000,
  questions: 5,
  questionsWaiting: 1000,
  answersKept: 10_000,
  knownMs: 24 * 60 * 60_000,
  refusedMs: 60 * 60_000,
  unsaidMs: 5 * 60_000,
  silentMs: 60_000,
}

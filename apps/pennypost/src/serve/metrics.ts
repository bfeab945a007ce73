import type { Clock } from '@pennypost/model'
import type { SqliteStore } from '@pennypost/storage-sqlite'

/**
 * What `/metrics` shows, in Prometheus' text form: mail in and out, queue, sessions, what runs out, process. Counting costs
 * an addition; the library that prints is loaded by the first reading, since most servers start without being watched.
 */
export interface Metrics {
  text(): Promise<MetricsText>
  onReceived(outcome: ReceivedOutcome, octets: number): void
  onVerdict(action: string, reason: string): void
  /** What a next hop said of a recipient. */
  onVerified(answer: string): void
}

export interface MetricsText {
  contentType: string
  body: string
}

export type ReceivedOutcome = 'accepted' | 'refused' | 'deferred'

/** What is read of the server at each reading. */
export interface ServerGauges {
  store: SqliteStore
  clock: Clock
  /** Open connections by service. */
  sessions(): ReadonlyMap<string, number>
  certificates(): readonly { file: string; notAfter: number }[]
  /** Octets that are free on the disk of the data directory. */
  freeDisk(): Promise<number>
}

/** What the registry reads at each reading. */
export interface MetricsSources extends ServerGauges {
  /** Messages at the end of their content, since the start. */
  received: ReadonlyMap<ReceivedOutcome, number>
  /** What the judge decided, by `action reason`, since the start. */
  verdicts: ReadonlyMap<string, number>
  /** Recipients that a next hop was asked for, by its answer, since the start. */
  verified: ReadonlyMap<string, number>
  /** Octets of accepted messages, since the start. */
  octets(): number
}

export function createMetrics(gauges: ServerGauges): Metrics {
  const received = new Map<ReceivedOutcome, number>()
  const verdicts = new Map<string, number>()
  const verified = new Map<string, number>()
  let octets = 0
  let registry: Promise<{ text(): Promise<MetricsText> }> | undefined
  async function load(): Promise<{ text(): Promise<MetricsText> }> {
    const { createRegistry } = await import('./metrics-registry.ts')
    return createRegistry({ ...gauges, received, verdicts, verified, octets: () => octets })
  }
  return {
    async text() {
      registry ??= load()
      return (await registry).text()
    },
    onReceived(outcome, size) {
      countIn(received, outcome)
      if (outcome === 'accepted') octets += size
    },
    onVerdict(action, reason) {
      countIn(verdicts, `${action} ${reason}`)
    },
    onVerified: (answer) => countIn(verified, answer),
  }
}

function countIn<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { MetricsSources, MetricsText } from './metrics.ts'

/** The registry behind `/metrics`; `metrics.ts` makes it at the first reading. */
export function createRegistry(sources: MetricsSources): { text(): Promise<MetricsText> } {
  const { store, clock, sessions } = sources
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  addCounters(registers, sources)
  new Gauge({
    name: 'pennypost_queue_entries',
    help: 'Queue entries by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const counts = await store.queue.counts(clock.now())
      for (const state of ['waiting', 'due', 'leased', 'held'] as const) this.set({ state }, counts[state])
    },
  })
  addSearchGauges(registers, store)
  addGaugesOfWhatRunsOut(registers, sources)
  new Gauge({
    name: 'pennypost_sessions',
    help: 'Open connections by service',
    labelNames: ['service'],
    registers,
    collect() {
      for (const [service, open] of sessions()) this.set({ service }, open)
    },
  })
  const delay = addEventLoopGauge(registers)
  return {
    async text() {
      // Of an empty histogram the least value is 2^63 ns; the library's own began before this one.
      while (delay.count === 0) await new Promise<void>((resolve) => clock.after(resolutionMs, resolve))
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}

function addCounters(registers: Registry[], { received, verdicts, verified, octets }: MetricsSources): void {
  new Counter({
    name: 'pennypost_received_messages_total',
    help: 'Messages at the end of their content, by outcome',
    labelNames: ['outcome'],
    registers,
    collect() {
      this.reset()
      for (const [outcome, count] of received) this.inc({ outcome }, count)
    },
  })
  new Counter({
    name: 'pennypost_verdicts_total',
    help: 'Decisions about clients and messages of strangers, by action and reason',
    labelNames: ['action', 'reason'],
    registers,
    collect() {
      this.reset()
      for (const [key, count] of verdicts) {
        const [action = '', reason = ''] = key.split(' ')
        this.inc({ action, reason }, count)
      }
    },
  })
  new Counter({
    name: 'pennypost_verified_recipients_total',
    help: 'Recipients of strangers that a next hop was asked for, by its answer',
    labelNames: ['answer'],
    registers,
    collect() {
      this.reset()
      for (const [answer, count] of verified) this.inc({ answer }, count)
    },
  })
  new Counter({
    name: 'pennypost_received_bytes_total',
    help: 'Octets of accepted messages',
    registers,
    collect() {
      this.reset()
      this.inc(octets())
    },
  })
}

const resolutionMs = 10

/** Empty at first, and after each reading. */
function addEventLoopGauge(registers: Registry[]): { readonly count: number } {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  new Gauge({
    name: 'pennypost_event_loop_delay_p99_seconds',
    help: 'How late the event loop was, 99th percentile since the last reading',
    registers,
    collect() {
      this.set(delay.percentile(99) / 1e9)
      delay.reset()
    },
  })
  return delay
}

function addGaugesOfWhatRunsOut(registers: Registry[], { certificates, freeDisk }: MetricsSources): void {
  new Gauge({
    name: 'pennypost_certificate_expires_timestamp_seconds',
    help: 'When each certificate ends, in seconds since 1970',
    labelNames: ['file'],
    registers,
    collect() {
      this.reset()
      for (const { file, notAfter } of certificates()) this.set({ file }, Math.round(notAfter / 1000))
    },
  })
  new Gauge({
    name: 'pennypost_disk_free_bytes',
    help: 'Octets that are free on the disk of the data directory',
    registers,
    async collect() {
      this.set(await freeDisk())
    },
  })
}

function addSearchGauges(registers: Registry[], store: MetricsSources['store']): void {
  new Gauge({
    name: 'pennypost_search_index_bytes',
    help: 'Size of the search index',
    registers,
    collect() {
      this.set(store.stats().search.octets)
    },
  })
  new Gauge({
    name: 'pennypost_search_index_behind',
    help: 'Messages of opened accounts that are not in the search index yet, at most',
    registers,
    collect() {
      this.set(store.stats().search.behind)
    },
  })
}

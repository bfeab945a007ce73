import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Clock, Store } from '@pennypost/model'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'

/** What `/metrics` shows, in Prometheus' text form: mail in and out, queue, sessions, event loop, process. */
export interface Metrics {
  readonly contentType: string
  text(): Promise<string>
  onReceived(outcome: 'accepted' | 'refused' | 'deferred', octets: number): void
}

export function createMetrics(store: Store, clock: Clock, sessions: () => ReadonlyMap<string, number>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const received = new Counter({
    name: 'pennypost_received_messages_total',
    help: 'Messages at the end of their content, by outcome',
    labelNames: ['outcome'],
    registers: [registry],
  })
  const octets = new Counter({
    name: 'pennypost_received_bytes_total',
    help: 'Octets of accepted messages',
    registers: [registry],
  })
  new Gauge({
    name: 'pennypost_queue_entries',
    help: 'Queue entries by state',
    labelNames: ['state'],
    registers: [registry],
    async collect() {
      const counts = await store.queue.counts(clock.now())
      for (const state of ['waiting', 'due', 'leased', 'held'] as const) this.set({ state }, counts[state])
    },
  })
  new Gauge({
    name: 'pennypost_sessions',
    help: 'Open connections by service',
    labelNames: ['service'],
    registers: [registry],
    collect() {
      for (const [service, open] of sessions()) this.set({ service }, open)
    },
  })
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  new Gauge({
    name: 'pennypost_event_loop_delay_p99_seconds',
    help: 'How late the event loop was, 99th percentile since the last reading',
    registers: [registry],
    collect() {
      this.set(delay.percentile(99) / 1e9)
      delay.reset()
    },
  })
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    onReceived(outcome, size) {
      received.inc({ outcome })
      if (outcome === 'accepted') octets.inc(size)
    },
  }
}

import { systemClock } from '@pennypost/model'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom } from '@pennypost/model/testing'
import type { SqliteStore } from '@pennypost/storage-sqlite'
import { expect, test } from 'vitest'
import { createMetrics, type Metrics } from './metrics.ts'

/** The first reading. */
async function firstText(count?: (metrics: Metrics) => void): Promise<string> {
  const clock = systemClock
  const stats = () => ({ search: { octets: 0, behind: 0 } })
  const store = Object.assign(createMemoryStore({ clock, random: seededRandom(1) }), {
    stats,
  }) as unknown as SqliteStore
  const certificates = () => [{ file: '/etc/cert.pem', notAfter: 1_800_000_000_500 }]
  const metrics = createMetrics({ store, clock, sessions: () => new Map(), certificates, freeDisk: async () => 5e9 })
  count?.(metrics)
  return (await metrics.text()).body
}

test('the first reading told of an event loop that had been late for three hundred years', async () => {
  const body = await firstText()
  const values = [...body.matchAll(/^(?:nodejs_eventloop_lag|pennypost_event_loop_delay)\w+ (.*)$/gm)].map(([, n]) => n)
  expect(values.length).toBeGreaterThan(7)
  for (const value of values) expect(Number(value)).toBeLessThan(1000)
})

test('nobody saw how often next hops were asked about recipients, and what they said', async () => {
  const body = await firstText(({ onVerified }) => ['known', 'unsaid', 'known'].forEach(onVerified))
  expect(body).toContain('pennypost_verified_recipients_total{answer="known"} 2\n')
  expect(body).toContain('pennypost_verified_recipients_total{answer="unsaid"} 1\n')
})

test('who watches the server did not see certificate and disk run out', async () => {
  const body = await firstText()
  expect(body).toContain('pennypost_certificate_expires_timestamp_seconds{file="/etc/cert.pem"} 1800000001\n')
  expect(body).toContain('pennypost_disk_free_bytes 5000000000\n')
})

import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import type { SqliteStore } from '@pennypost/storage-sqlite'
import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('who watches the server did not see certificate and disk run out', async () => {
  const clock = virtualClock()
  const stats = () => ({ search: { octets: 0, behind: 0 } })
  const store = Object.assign(createMemoryStore({ clock, random: seededRandom(1) }), {
    stats,
  }) as unknown as SqliteStore
  const certificates = () => [{ file: '/etc/cert.pem', notAfter: 1_800_000_000_500 }]
  const { text } = createMetrics({ store, clock, sessions: () => new Map(), certificates, freeDisk: async () => 5e9 })
  const { body } = await text()
  expect(body).toContain('pennypost_certificate_expires_timestamp_seconds{file="/etc/cert.pem"} 1800000001\n')
  expect(body).toContain('pennypost_disk_free_bytes 5000000000\n')
})

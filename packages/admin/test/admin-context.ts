/** A context over the memory engine, a clock that stands still, and a resolver with a few records. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStaticResolver } from '@pennypost/dns'
import { defaultPolicy } from '@pennypost/message-auth'
import { createMemoryStore } from '@pennypost/model/memory'
import { seededRandom, virtualClock } from '@pennypost/model/testing'
import { type AdminContext, type Administration, type AuditRecord, createDirectAdministration } from '../src/index.ts'

export class TestAdministration implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'pennypost-admin-'))
  readonly clock = virtualClock(Date.UTC(2026, 4, 1, 12))
  readonly audited: AuditRecord[] = []
  readonly context: AdminContext
  readonly call: Administration['call']

  constructor(rest: Partial<AdminContext> = {}) {
    const { clock } = this
    const random = seededRandom(1)
    this.context = {
      store: createMemoryStore({ clock, random }),
      clock,
      random,
      resolver: createStaticResolver([]),
      // Tests need no real bcrypt: what matters is that only these forms reach the store.
      credentials: {
        hash: async (password) => `hashed:${password.length}`,
        importHash(hash) {
          if (!hash.startsWith('$2')) throw new Error('only bcrypt hashes can be imported')
          return `imported:${hash}`
        },
        appPasswordVerifier: (password) => (password.length === 34 ? 'app' : undefined),
        isScramReady: (login, scram) => scram === `keys of ${login}`,
      },
      installation: {
        hostname: 'mail.one.test',
        administrator: '',
        recipientDelimiter: '+',
        policy: defaultPolicy,
        dkimDirectory: join(this.directory, 'dkim'),
        publicAddresses: ['192.0.2.1'],
        sentBy: () => [],
        mtaSts: { mode: 'testing', text: 'version: STSv1\r\n' },
        sitePort: 443,
        clientServices: [
          { service: 'submissions', port: 465 },
          { service: 'imaps', port: 993 },
        ],
      },
      audit: async (record) => void this.audited.push(record),
      spool: async () => ({ directory: 'spool', waiting: 0, refused: 0 }),
      capabilityNames: async () => ['ACL', 'MOVE', 'QUOTA=RES-STORAGE'],
      nextHopKey: (text) => (/^[a-z0-9.-]+:\d+$/.test(text) ? text : undefined),
      ...rest,
    }
    this.call = createDirectAdministration(this.context, 'tester').call
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

import { gzipSync } from 'node:zlib'
import { scan } from '@pennypost/message'
import { type Acceptance, createJourneyId } from '@pennypost/model'
import { expect, test } from 'vitest'
import { TestAdministration } from '../../test/admin-context.ts'

const tlsReport = (domain: string, failed: number): string =>
  JSON.stringify({
    'organization-name': 'Two',
    'date-range': { 'start-datetime': '2026-04-30T00:00:00Z', 'end-datetime': '2026-04-30T23:59:59Z' },
    'report-id': 't1',
    policies: [
      {
        policy: { 'policy-domain': domain },
        summary: { 'total-successful-session-count': 5, 'total-failure-session-count': failed },
        'failure-details': [],
      },
    ],
  })

async function file(admin: TestAdministration, type: string, octets: Buffer): Promise<void> {
  const { store, clock, random } = admin.context
  const text = `Subject: report\nContent-Type: multipart/report; boundary=b\n\n--b\n\nHere.\n--b\nContent-Type: ${type}\nContent-Transfer-Encoding: base64\n\n${octets.toString('base64')}\n--b--\n`
  const source = Buffer.from(text.replaceAll('\n', '\r\n'))
  const bodyStart = source.indexOf('\r\n\r\n') + 4
  const header = source.subarray(0, bodyStart)
  const stage = store.mail.stage()
  await stage.write(Buffer.from(source))
  const account = await store.directory.accountByLogin('alice@one.test')
  const acceptance: Acceptance = {
    journey: createJourneyId(clock.now(), random),
    acceptedAt: clock.now(),
    reversePath: '',
    message: { content: await stage.finish(), bodyStart, header, index: scan(source).index({ header }) },
    filings: [{ account: account!.id, mailbox: 'INBOX', delivery: Buffer.alloc(0), flags: [], forwardPaths: [] }],
    queue: [],
    memory: [],
    flow: [],
  }
  await store.mail.accept([acceptance])
}

test('reports in the administrator’s mail are read, the newest first, by domain and kind', async () => {
  using admin = new TestAdministration()
  await admin.call('domain.add', { name: 'one.test' })
  await admin.context.store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: true }, 0)
  await file(admin, 'application/tlsrpt+gzip', gzipSync(tlsReport('one.test', 2)))
  await file(admin, 'application/tlsrpt+json', Buffer.from(tlsReport('other.test', 0)))
  await file(admin, 'application/zip', Buffer.from('no archive'))
  await file(admin, 'image/png', gzipSync(tlsReport('one.test', 9)))
  const all = await admin.call('reports', {})
  expect(all.login).toBe('alice@one.test')
  expect(all.reports.map(({ domain, failed }) => [domain, failed])).toEqual([
    ['one.test', 2],
    ['other.test', 0],
  ])
  expect((await admin.call('reports', { domain: 'one.test' })).reports).toHaveLength(1)
  expect((await admin.call('reports', { kind: 'dmarc' })).reports).toEqual([])
  await admin.clock.advance(40 * 86_400_000)
  expect((await admin.call('reports', {})).reports).toEqual([])
})

test.each(['application/tlsrpt', 'application/json', 'application/octet-stream'])(
  'a TLS report whose sender calls it %s is read',
  async (type) => {
    using admin = new TestAdministration()
    await admin.call('domain.add', { name: 'one.test' })
    await admin.context.store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: true }, 0)
    await file(admin, type, Buffer.from(tlsReport('one.test', 1)))
    expect((await admin.call('reports', {})).reports).toHaveLength(1)
  },
)

test.each([['Alice@ONE.test'], ['admin@one.test'], ['alice+reports@one.test'], ['nobody@one.test']])(
  'with [admin] address %s nobody was said to be there',
  async (administrator) => {
    using admin = new TestAdministration()
    Object.assign(admin.context.installation, { administrator })
    await admin.call('domain.add', { name: 'one.test' })
    await admin.context.store.directory.addAccount({ login: 'alice@one.test', name: '', quota: 0, admin: true }, 0)
    await admin.call('alias.add', { address: 'admin@one.test', targets: ['far@two.test', 'people@one.test'] })
    await admin.call('alias.add', { address: 'people@one.test', targets: ['admin@one.test', 'alice@one.test'] })
    expect(await admin.call('reports', {})).toMatchObject({ login: 'alice@one.test' })
  },
)

test('where postmaster@ led to the first account, there was said to be no administrator', async () => {
  using admin = new TestAdministration()
  await expect(admin.call('reports', {})).rejects.toMatchObject({ message: 'There is no account.' })
  await admin.call('domain.add', { name: 'one.test' })
  await admin.context.store.directory.addAccount({ login: 'bob@one.test', name: '', quota: 0, admin: false }, 0)
  expect(await admin.call('reports', {})).toMatchObject({ login: 'bob@one.test', reports: [] })
})

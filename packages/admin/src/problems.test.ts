import { describe, expect, test } from 'vitest'
import { problemsOf, type StatusFacts } from './problems.ts'

const day = 86_400_000
const now = 1000 * day

const well: StatusFacts & { server: NonNullable<StatusFacts['server']> } = {
  now,
  hostname: 'mail.one.test',
  domains: 1,
  accounts: 2,
  queue: { waiting: 3, due: 0, leased: 1, held: 0, oldestAcceptedAt: now - 1000, byAge: [] },
  spool: { directory: 'data/spool', waiting: 0, refused: 0 },
  server: {
    version: '0.1.0',
    startedAt: now - day,
    listeners: [{ service: 'smtp', address: '127.0.0.1:2525', sessions: 1 }],
    worksQueue: true,
    certificates: [
      { file: 'cert.pem', names: ['mail.one.test'], notBefore: now - day, notAfter: now + 60 * day, selfSigned: false },
    ],
    unproved: [],
    errors: [{ at: now - 2 * day, text: 'old' }],
    search: { index: 'whole', behind: 0, octets: 1e6 },
    unasked: [],
    disk: { directory: 'data', free: 1e12, total: 2e12, reserve: 256e6 },
  },
}

const texts = (facts: StatusFacts) => problemsOf(facts).map(({ severity, what }) => `${severity}: ${what}`)

describe('problems', () => {
  test('none when all is well', () => {
    expect(problemsOf(well)).toEqual([])
  })

  test('no server is the first thing to know', () => {
    const { server: _, ...stopped } = well
    expect(texts({ ...stopped, accounts: 0 })[0]).toMatch(/^broken: No server is running/)
  })

  test('a fresh installation is told how to begin', () => {
    expect(texts({ ...well, domains: 0, accounts: 0 })).toEqual(['warning: There is no domain: nobody can get mail.'])
    expect(texts({ ...well, accounts: 0 })).toEqual(['warning: There is no account: nobody can get mail.'])
  })

  test('mail for an administrator who is nobody was said to be refused, though another gets it', () => {
    const unreachableAdministrator = { address: 'me@one.test', instead: 'alice@one.test' }
    expect(texts({ ...well, unreachableAdministrator })).toEqual([
      'warning: Mail for postmaster@ and abuse@ goes to alice@one.test: nobody has the address me@one.test.',
    ])
  })

  test('old and held mail is named', () => {
    const queue = { ...well.queue, oldestAcceptedAt: now - 2.5 * day, held: 1 }
    expect(texts({ ...well, queue })).toEqual([
      'warning: The oldest message in the queue waits for 2 days.',
      'warning: 1 entry is held in the queue.',
    ])
  })

  test('a server that takes mail and has no role for the queue did not say that nothing leaves it', () => {
    const server = { ...well.server, worksQueue: false }
    const empty = { ...well.queue, waiting: 0, leased: 0 }
    const reader = { ...server, listeners: [{ service: 'imap', address: '127.0.0.1:143', sessions: 0 }] }
    expect(texts({ ...well, server })[0]).toMatch(
      /^broken: Nothing leaves the queue, .* has no "relay": 4 entries wait\.$/,
    )
    expect(texts({ ...well, server, queue: empty })).toEqual([
      'warning: Nothing leaves the queue, since `roles` has no "relay".',
    ])
    expect(texts({ ...well, server: reader, queue: empty })).toEqual([])
  })

  test('a server that nobody can connect to was well', () => {
    expect(texts({ ...well, server: { ...well.server, listeners: [] } })).toEqual([
      'broken: There is no listener: nobody can connect.',
    ])
  })

  test('a certificate for another name, or from the future, was well', () => {
    const told = (change: object) => {
      const certificates = well.server.certificates.map((certificate) => ({ ...certificate, ...change }))
      return texts({ ...well, server: { ...well.server, certificates } })
    }
    const missing = 'warning: No certificate is for mail.one.test, the name of this server.'
    expect(told({ names: ['one.test', '*.mail.one.test'] })).toEqual([missing])
    expect(told({ names: ['*.one.test'] })).toEqual([])
    const [text] = told({ notBefore: now + day })
    expect(text).toMatch(/^broken: The certificate cert\.pem \(mail\.one\.test\) is not valid before 1972-09-28\.$/)
  })

  test('a next hop that could not be asked about recipients was told of nowhere', () => {
    const unasked = [{ destination: '192.0.2.25:25', since: now - day, reply: '554 5.7.1 Blocked' }]
    expect(texts({ ...well, server: { ...well.server, unasked } })).toEqual([
      'warning: Since 1972-09-26T00:00Z 192.0.2.25:25 does not tell who its recipients are: 554 5.7.1 Blocked',
    ])
  })

  test('letters of local programs that nobody will take are told', () => {
    const told = (refused: number) => texts({ ...well, spool: { ...well.spool, refused } })
    expect(told(1)).toEqual(['warning: A letter of a local program was refused and stays in data/spool.'])
    expect(told(2)).toEqual(['warning: 2 letters of local programs were refused and stay in data/spool.'])
  })

  test('names without a certificate are named, with the authority’s reason', () => {
    const unproved = Array.from({ length: 7 }, (_, n) => ({ name: `n${n}.test`, why: 'connection refused' }))
    const [text, ...none] = texts({ ...well, server: { ...well.server, unproved } })
    expect(text).toMatch(/^warning: The certificate authority was not convinced of n0\.test \(connection refused\); n1/)
    expect(text).toMatch(/n4\.test \(connection refused\); and 2 more\.$/)
    expect(none).toEqual([])
  })

  test('what does not listen is broken, with advice that fits the error', () => {
    const listeners = [
      { service: 'smtp', address: '0.0.0.0:25', sessions: 0, error: 'listen EACCES' },
      { service: 'imap', address: '0.0.0.0:143', sessions: 0, error: 'listen EADDRINUSE' },
    ]
    const found = problemsOf({ ...well, server: { ...well.server, listeners } })
    expect(found.map(({ severity }) => severity)).toEqual(['broken', 'broken'])
    expect(found[0]?.todo).toMatch(/CAP_NET_BIND_SERVICE/)
    expect(found[1]?.todo).toMatch(/Another program/)
  })

  test('certificates are judged by their end and their maker', () => {
    const certificate = (notAfter: number, selfSigned = false) => {
      const certificates = [{ file: 'c.pem', names: ['m'], notBefore: 0, notAfter, selfSigned }]
      return texts({ ...well, hostname: 'm', server: { ...well.server, certificates } })
    }
    expect(certificate(now - 1)).toEqual(['broken: The certificate c.pem (m) has expired.'])
    expect(certificate(now + 5 * day)).toEqual(['warning: The certificate c.pem (m) expires in 5 days.'])
    expect(certificate(now + day / 2)).toEqual(['warning: The certificate c.pem (m) expires in 1 day.'])
    expect(certificate(now + 60 * day, true)).toEqual(['warning: The certificate c.pem (m) is self-signed.'])
  })

  test('a disk is full before it is full', () => {
    const disk = (free: number) =>
      problemsOf({ ...well, server: { ...well.server, disk: { ...well.server.disk, free } } }).map((p) => p.severity)
    expect([disk(1e12), disk(500e6), disk(200e6)]).toEqual([[], ['warning'], ['broken']])
  })

  test('errors of the last day are counted, the last one is shown', () => {
    const errors = [
      { at: now - 10, text: 'first' },
      { at: now - 5, text: 'second' },
    ]
    expect(texts({ ...well, server: { ...well.server, errors } })[0]).toMatch(/2 errors .* last one: second$/)
    const [one] = errors
    expect(texts({ ...well, server: { ...well.server, errors: one ? [one] : [] } })[0]).toMatch(/1 error in the log/)
  })
})

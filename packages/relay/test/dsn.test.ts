/** Who is told what: bounces, warnings, success notices, and the cases in which nobody is. */
import { parseHeader, valuesOf } from '@pennypost/message'
import { accountId } from '@pennypost/model'
import { sampleMessage } from '@pennypost/model/testing'
import { describe, expect, test } from 'vitest'
import { day, everything, hour, minute, onDisk, PostOffice } from './post-office.ts'

const forwarded = ({ srs, clock }: PostOffice, agoMs = 0) =>
  `${srs.forward({ localPart: 'carol', domain: 'three.test' }, clock.now() - agoMs)}@one.test`

const refusing = (...names: string[]) => ({
  script: {
    RCPT: (argument: string) => (names.some((name) => argument.includes(name)) ? '550 5.1.1 no such user' : undefined),
  },
})
const people = (...names: string[]) => names.map((name) => ({ forwardPath: `${name}@two.test` }))

describe('a bounce', () => {
  test('names only who failed, with status, host and words, and returns the message', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('nobody', 'nemo'))
    const journey = await office.send({ recipients: people('bob', 'nobody', 'nemo'), envelope: { envid: 'Q1' } })
    const [bounce, ...others] = await office.inbox()
    expect(others).toEqual([])
    expect(bounce).toMatch(/^Return-Path: <>\r\nDelivered-To: alice@one\.test\r\n/)
    expect(bounce).toContain('From: Mail Delivery System <postmaster@one.test>')
    expect(bounce).toContain('Original-Envelope-Id: Q1')
    expect(bounce).toContain('Final-Recipient: rfc822; nobody@two.test\r\nAction: failed\r\nStatus: 5.1.1\r\n')
    expect(bounce).toContain('Remote-MTA: dns; mx.two.test\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user')
    expect(bounce).toContain('Final-Recipient: rfc822; nemo@two.test')
    expect(bounce).not.toContain('rfc822; bob@two.test')
    expect(bounce).toContain('Hello Bob.')
    expect(valuesOf(parseHeader(Buffer.from(bounce!)), 'auto-submitted')).toEqual(['auto-replied'])
    const [told] = await office.events(journey, 'dsn')
    expect(told).toMatchObject({ action: 'failed', to: 'alice@one.test' })
    const own = await office.store.flow.journey(told!.dsn as typeof journey)
    expect(own!.events.map(({ kind }) => kind)).toEqual(['received', 'about', 'filed'])
    expect(own!.events[1]).toMatchObject({ about: journey })
  })

  test('that finds no room waits for it, and nobody gets the message again for that', async () => {
    const disk = { isFull: true }
    await using office = await PostOffice.open((opened) => onDisk(opened, disk))
    const RCPT = (path: string) => (path.includes('bad') ? '550 5.1.1 no such user' : undefined)
    const peer = office.peer('192.0.2.2', { script: { RCPT } })
    const recipients = [{ forwardPath: 'good@two.test' }, { forwardPath: 'bad@two.test' }]
    const journey = await office.send({ recipients })
    expect((await office.trace(journey)).slice(1)).toEqual([
      'delivered good@two.test 250 2.0.0 Ok: queued as SCRIPTED',
      'deferred bad@two.test 550 5.1.1 no such user',
    ])
    disk.isFull = false
    await office.advance(17 * minute)
    expect((await office.trace(journey)).slice(-2)).toEqual([
      'failed bad@two.test 550 5.1.1 no such user',
      'dsn failed to alice@one.test',
    ])
    expect(peer.transactions).toHaveLength(1)
    expect(await office.inbox()).toHaveLength(1)
    expect(office.logged).toContainEqual(
      expect.objectContaining({ level: 'warn', text: expect.stringContaining('DSN') }),
    )
  })

  test('stays small, and so does its journey, whatever the peer has to say about each of many', async () => {
    await using office = await PostOffice.open()
    const lines = Array.from({ length: 200 }, (_, at) => `550${at === 199 ? ' ' : '-'}${'x'.repeat(4000)}`)
    office.peer('192.0.2.2', { script: { CONTENT: lines.join('\r\n') } })
    const recipients = Array.from({ length: 20 }, (_, at) => ({ forwardPath: `bob${at}@two.test` }))
    const journey = await office.send({ recipients })
    const [bounce = ''] = await office.inbox()
    expect(bounce).toContain('Final-Recipient: rfc822; bob19@two.test')
    expect(bounce.length).toBeLessThan(200_000)
    expect(JSON.stringify(await office.store.flow.journey(journey)).length).toBeLessThan(100_000)
  })

  test('returns the header only where the sender asked for that', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    await office.send({ envelope: { ret: 'HDRS' } })
    const [bounce] = await office.inbox()
    expect(bounce).toContain('text/rfc822-headers')
    expect(bounce).toContain('Message-ID: <1@one.test>')
    expect(bounce).not.toContain('Hello Bob.')
  })

  test('of a large message returns the header, and says so', async () => {
    await using office = await PostOffice.open({ limits: { returnedOctets: 100_000 } })
    office.peer('192.0.2.2', refusing('bob'))
    const line = `${'x'.repeat(70)}\r\n`
    await office.send({ source: Buffer.from(`Subject: small\r\n\r\n${line.repeat(1_000)}`) })
    await office.send({ source: Buffer.from(`Subject: large\r\n\r\n${line.repeat(2_000)}`) })
    const [small, large] = await office.inbox()
    expect(small!.length).toBeGreaterThan(70_000)
    expect(large!.length).toBeLessThan(5000)
    expect(large).toContain('too large to be returned')
  })

  test('to a sender elsewhere goes through the queue, from <>, and asks for no DSN', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    office.zone('three.test', [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.3'],
    ])
    const three = office.peer('192.0.2.3')
    const journey = await office.send({ from: 'carol@three.test' })
    expect(three.transactions[0]!.mail).toMatch(/^FROM:<> /)
    expect(three.transactions[0]!.recipients).toEqual(['TO:<carol@three.test> NOTIFY=NEVER'])
    expect(three.transactions[0]!.content.toString()).toContain('From: Mail Delivery System <postmaster@mail.one.test>')
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to carol@three.test')
  })

  test('is signed for the domain that it is from', async () => {
    const signed: string[] = []
    await using office = await PostOffice.open({
      signer: {
        async sign({ domain, header, body }) {
          let octets = 0
          for await (const piece of body()) octets += piece.length
          signed.push(`${domain} ${header.toString().slice(0, 5)} ${octets > 500}`)
          return 'DKIM-Signature: v=1\r\n'
        },
      },
    })
    office.peer('192.0.2.2', refusing('bob'))
    await office.send()
    expect(signed).toEqual(['one.test From: true'])
    expect((await office.inbox())[0]).toContain('Delivered-To: alice@one.test\r\nDKIM-Signature: v=1\r\nFrom: ')
  })

  test('that cannot be signed goes unsigned', async () => {
    await using office = await PostOffice.open({ signer: { sign: () => Promise.reject(new Error('no key')) } })
    office.peer('192.0.2.2', refusing('bob'))
    await office.send()
    expect(await office.inbox()).toHaveLength(1)
    expect(office.logged.splice(0).map(({ level }) => level)).toContain('error')
  })
})

describe('nobody is told', () => {
  test('about what failed from <>: an event, a line in the log, no mail', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', refusing('bob'))
    const journey = await office.send({ from: '' })
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to nobody')
    expect(office.logged.filter(({ level }) => level === 'warn')).toMatchObject([
      { text: 'nobody can be told what became of a message', facts: { journey } },
    ])
    expect(mx.transactions).toEqual([])
    expect(await office.queue()).toEqual([])
  })

  test('when the bounce itself cannot be delivered', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob', 'carol'))
    const journey = await office.send({ from: 'carol@two.test' })
    const [told] = await office.events(journey, 'dsn')
    const own = await office.trace(told!.dsn as typeof journey)
    expect(own.at(-2)).toContain('failed carol@two.test 550 5.1.1')
    expect(own.at(-1)).toBe('dsn failed to nobody')
    expect(await office.queue()).toEqual([])
    expect(await office.inbox()).toEqual([])
  })

  test('when the sender has no mailbox here any more', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    const journey = await office.send({ from: 'gone@one.test' })
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to nobody')
  })

  test('a forward that failed with NOTIFY=NEVER left no word that nobody was told', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    const recipients = [{ forwardPath: 'bob@two.test', notify: ['NEVER' as const] }]
    const journey = await office.send({ from: forwarded(office), recipients })
    const trace = await office.trace(journey)
    expect(trace.slice(-2)).toEqual([expect.stringContaining('failed bob@two.test'), 'dsn failed to nobody'])
    expect(office.logged).toContainEqual({
      level: 'info',
      facts: expect.objectContaining({ journey, forwardPaths: ['bob@two.test'] }),
      text: 'nobody is told of the failure: no notice was asked for',
    })
    expect(await office.inbox()).toEqual([])
  })
})

describe('a warning about delay', () => {
  test.each([
    ['with NOTIFY=FAILURE', { recipients: [{ forwardPath: 'bob@two.test', notify: ['FAILURE' as const] }] }],
    ['for lists and programs', { envelope: { autoSubmitted: true } }],
    ['for <>', { from: '' }],
  ])('is not sent %s', async (_, sending) => {
    await using office = await PostOffice.open()
    const journey = await office.send(sending)
    await office.advance(day)
    expect(await office.inbox()).toEqual([])
    expect(await office.events(journey, 'dsn')).toEqual([])
  })

  test('is sent once for each recipient, also to one who is deferred later than others', async () => {
    await using office = await PostOffice.open()
    await office.send({ recipients: [...people('bob', 'carol'), { forwardPath: 'dave@two.test', notify: ['DELAY'] }] })
    await office.advance(4 * hour)
    await office.advance(day)
    const warnings = await office.inbox()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]!.match(/Action: delayed/g)).toHaveLength(3)
    expect(warnings[0]).toContain('Will-Retry-Until: Tue, 6 Jan 2026 00:00:00 +0000')
  })

  test('said that what is tried again had failed for good', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { script: { GREETING: '554 5.7.1 Not you' } })
    await office.send()
    await office.advance(4 * hour)
    const [warning] = await office.inbox()
    expect(warning).toContain('Action: delayed\r\nStatus: 4.7.1\r\n')
    expect(warning).toContain('554 5.7.1 Not you')
  })

  test('comes at its time though the steps are longer', async () => {
    await using office = await PostOffice.open({ schedule: { retryMs: [12 * hour] } })
    await office.send()
    await office.advance(4 * hour)
    expect(await office.inbox()).toHaveLength(1)
  })
})

describe('success', () => {
  const asking = [{ forwardPath: 'bob@two.test', notify: ['SUCCESS' as const], orcpt: 'rfc822;Bob@two.test' }]

  test('is told by the next hop where it can', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2')
    await office.send({ recipients: asking })
    expect(await office.inbox()).toEqual([])
  })

  test('is told as relayed where it cannot', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { capabilities: everything.filter((word) => word !== 'DSN') })
    const journey = await office.send({ recipients: asking })
    const [notice] = await office.inbox()
    expect(notice).toContain('Action: relayed\r\nStatus: 2.0.0')
    expect(notice).toContain('Original-Recipient: rfc822; Bob@two.test')
    expect(notice).not.toContain('Hello Bob.')
    expect((await office.trace(journey)).at(-1)).toBe('dsn relayed to alice@one.test')
  })

  test('is told by us where it is filed here', async () => {
    await using office = await PostOffice.open()
    const { id } = await office.store.directory.addAccount(
      { login: 'dan@one.test', name: '', quota: 0, admin: false },
      0,
    )
    const entry = { route: 'local' as const, destination: 'local' }
    await office.send({ entry, recipients: [{ forwardPath: 'dan@one.test', account: id, notify: ['SUCCESS'] }] })
    expect((await office.inbox())[0]).toContain('Final-Recipient: rfc822; dan@one.test\r\nAction: delivered')
  })
})

describe('two recipients that share one address elsewhere', () => {
  const shared = [
    {
      forwardPath: 'bob@two.test',
      notify: ['FAILURE' as const, 'DELAY' as const, 'SUCCESS' as const],
      orcpt: 'rfc822;a@one.test',
      also: [{ notify: ['SUCCESS' as const], orcpt: 'rfc822;b@one.test' }, { orcpt: 'rfc822;c@one.test' }],
    },
  ]
  const named = (who: string, action: string) => [`Original-Recipient: rfc822; ${who}@one.test`, `Action: ${action}`]
  const namedIn = (notice: string | undefined) => notice?.match(/^(?:Action|Original-Recipient): .*(?=\r)/gm)

  test('are asked for once, and each was told of under its own name', async () => {
    await using office = await PostOffice.open()
    const two = office.peer('192.0.2.2')
    await office.send({ recipients: shared })
    expect(two.transactions[0]!.recipients).toEqual([
      'TO:<bob@two.test> NOTIFY=FAILURE,DELAY,SUCCESS ORCPT=rfc822;a@one.test',
    ])
    const notices = await office.inbox()
    expect(notices.map(namedIn)).toEqual([named('b', 'relayed')])
  })

  test('failed under the name of the first alone', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    await office.send({ recipients: shared })
    const notices = await office.inbox()
    expect(notices.map(namedIn)).toEqual([[...named('a', 'failed'), ...named('c', 'failed')]])
  })

  test('waited under the name of the first alone', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { script: { RCPT: '450 4.2.0 later' } })
    await office.send({ recipients: shared })
    await office.advance(4 * hour + 30 * minute)
    const notices = await office.inbox()
    expect(notices.map(namedIn)).toEqual([[...named('a', 'delayed'), ...named('c', 'delayed')]])
  })
})

describe('a forward that failed', () => {
  async function forward(flow: { check: string; result: string }[], madeAgoMs = 0) {
    const office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    office.zone('three.test', [
      ['@', 'MX', '10 mx'],
      ['mx', 'A', '192.0.2.3'],
    ])
    const three = office.peer('192.0.2.3')
    const journey = await office.send({ from: forwarded(office, madeAgoMs), flow })
    return { office, three, journey }
  }

  test('is told to the original sender if that is who it says', async () => {
    const { office, three, journey } = await forward([{ check: 'spf', result: 'pass' }])
    await using _ = office
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to carol@three.test')
    expect(three.transactions[0]!.recipients).toEqual(['TO:<carol@three.test> NOTIFY=NEVER'])
    expect(three.transactions[0]!.content.toString()).toContain('postmaster@one.test')
  })

  test.each([
    ['is told to the postmaster of the domain that forwards if it may be anybody', 'softfail', 0],
    ['was told to nobody when its path led to its sender no more', 'pass', 21 * day],
  ])('%s', async (_name, result, madeAgoMs) => {
    const { office, three, journey } = await forward([{ check: 'spf', result }], madeAgoMs)
    await using _ = office
    expect((await office.trace(journey)).at(-1)).toBe('dsn failed to postmaster@one.test')
    expect(three.sessions).toEqual([])
    expect(await office.inbox()).toHaveLength(1)
  })

  test('the postmaster heard of each forward that went well, if its sender may be anybody', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { capabilities: everything.filter((word) => word !== 'DSN') })
    const recipients = people('bob').map((each) => ({ ...each, notify: ['SUCCESS'] as const }))
    const journey = await office.send({ from: forwarded(office), recipients })
    expect((await office.trace(journey)).at(-1)).toBe('dsn relayed to nobody')
    expect(await office.inbox()).toEqual([])
  })
})

describe('a sender whom the checks do not vouch for', () => {
  /** To whom what became of a letter from there is told. */
  async function toldTo(flow: { check: string; result: string; facts?: { authorDomain: string } }[], fails: boolean) {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', fails ? refusing('bob') : { capabilities: everything.filter((word) => word !== 'DSN') })
    const recipients = people('bob').map((each) => ({ ...each, notify: ['SUCCESS', 'FAILURE'] as const }))
    const journey = await office.send({ from: 'alice@one.test', flow, recipients })
    const [event] = await office.events(journey, 'dsn')
    return event?.kind === 'dsn' ? event.to : 'nobody asked'
  }

  test.each([
    ['that it went on, when its domain disowns the client', 'fail', false, ''],
    ['that it failed, when its domain disowns the client', 'fail', true, ''],
    ['that it went on, when its domain says nothing', 'none', false, ''],
    ['that it failed, when its domain says nothing', 'none', true, 'alice@one.test'],
    ['that it went on, when its domain vouches for it', 'pass', false, 'alice@one.test'],
  ])('is told %s', async (_, result, fails, to) => {
    expect(await toldTo([{ check: 'spf', result }], fails)).toBe(to)
  })

  test('got the notices of an author with a signature of another domain', async () => {
    const dmarc = (authorDomain: string) => [
      { check: 'spf', result: 'fail' },
      { check: 'dmarc', result: 'pass', facts: { authorDomain } },
    ]
    expect(await toldTo(dmarc('one.test'), true)).toBe('alice@one.test')
    expect(await toldTo(dmarc('evil.test'), true)).toBe('')
  })
})

describe('an entry of route local', () => {
  const local = (account: number) => ({
    from: 'carol@two.test',
    entry: { route: 'local' as const, destination: 'local' },
    recipients: [
      {
        forwardPath: 'sales@one.test',
        account: accountId(account),
        trace: 'Return-Path: <carol@two.test>\r\nDelivered-To: sales@one.test\r\n',
      },
    ],
  })

  test('is filed, with the delivery block, in the journey of its message', async () => {
    await using office = await PostOffice.open()
    const alice = await office.store.directory.accountByLogin('alice@one.test')
    const journey = await office.send(local(alice!.id))
    expect((await office.inbox())[0]).toMatch(
      /^Return-Path: <carol@two\.test>\r\nDelivered-To: sales@one\.test\r\nFrom: alice@one\.test/,
    )
    expect(await office.trace(journey)).toEqual(['filed'])
    expect(await office.queue()).toEqual([])
  })

  test('waits while the mailbox is full', async () => {
    await using office = await PostOffice.open()
    const bob = await office.store.directory.addAccount(
      { login: 'bob@one.test', name: '', quota: 1000, admin: false },
      0,
    )
    const source = `Subject: large\n\n${'x'.repeat(70)}\n`.padEnd(900, 'y')
    await office.send({ ...local(bob.id), source })
    const journey = await office.send({ ...local(bob.id), source })
    expect((await office.trace(journey)).at(-1)).toBe(
      'deferred sales@one.test 451 4.2.2 <sales@one.test>: the mailbox is full',
    )
    // Of the members of sales@ nothing else says which.
    expect(await office.events(journey, 'deferred')).toMatchObject([{ login: 'bob@one.test' }])
    await office.store.directory.updateAccount(bob.id, { quota: 5000 })
    await office.advance(17 * minute)
    expect(await office.inbox('bob@one.test')).toHaveLength(2)
  })

  test('was tried for days, though larger than the mailbox will ever be', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2')
    const bob = { login: 'bob@one.test', name: '', quota: 1000, admin: false }
    const { id } = await office.store.directory.addAccount(bob, 0)
    const journey = await office.send({ ...local(id), source: `Subject: large\n\n${'x'.repeat(1000)}\n` })
    expect(await office.trace(journey)).toEqual([
      'failed sales@one.test 552 5.2.3 <sales@one.test>: the message is larger than the mailbox takes',
      'dsn failed to carol@two.test',
    ])
  })

  test('bounces when the account is gone', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2')
    const bob = await office.store.directory.addAccount({ login: 'bob@one.test', name: '', quota: 0, admin: false }, 0)
    await office.store.directory.removeAccount(bob.id, office.clock.now())
    const journey = await office.send(local(bob.id))
    expect(await office.trace(journey)).toEqual([
      'failed sales@one.test 550 5.1.6 <sales@one.test>: the account was removed',
      'dsn failed to carol@two.test',
    ])
  })

  test('goes where the judge wanted it', async () => {
    await using office = await PostOffice.open()
    const alice = await office.store.directory.accountByLogin('alice@one.test')
    await office.relay.stop(0)
    const journey = await office.accept(local(alice!.id))
    await office.store.flow.record([{ journey, at: 0, kind: 'verdict', verdict: 'quarantine', reason: 'spam' }])
    office.relay = office.createRelay()
    office.relay.start()
    await office.advance(0)
    expect(await office.inbox()).toEqual([])
    expect(await office.events(journey, 'filed')).toMatchObject([{ mailbox: 'Junk' }])
  })

  test('a bounce to a full mailbox waits for room', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    const { directory, mail } = office.store
    const bob = await directory.addAccount({ login: 'bob@one.test', name: '', quota: 0, admin: false }, 0)
    const [inbox] = await mail.mailboxes(bob.id)
    const message = await sampleMessage(mail, `Subject: fills it\n\n${'x'.repeat(20_000)}`)
    await mail.append(inbox!.id, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
    await directory.updateAccount(bob.id, { quota: 20_000 })
    await office.send({ from: 'bob@one.test' })
    expect(await office.inbox('bob@one.test')).toHaveLength(1)
    expect(await office.queue()).toMatchObject([{ route: 'local', recipients: [{ forwardPath: 'bob@one.test' }] }])
    await directory.updateAccount(bob.id, { quota: 0 })
    await office.advance(17 * minute)
    expect(await office.inbox('bob@one.test')).toHaveLength(2)
  })

  test('a bounce to several mailboxes was filed in one without end, while another was full', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', refusing('bob'))
    const { directory, mail } = office.store
    const full = async (name: string) => {
      const { id } = await directory.addAccount({ login: `${name}@one.test`, name: '', quota: 0, admin: false }, 0)
      const [inbox] = await mail.mailboxes(id)
      const message = await sampleMessage(mail, `Subject: fills it\n\n${'x'.repeat(20_000)}`)
      await mail.append(inbox!.id, [{ message, flags: [], internalDate: { at: 0, offsetMinutes: 0 } }])
      await directory.updateAccount(id, { quota: 20_000 })
      return id
    }
    const [carol, dave] = [await full('carol'), await full('dave')]
    await directory.putAlias({ address: 'team@one.test', targets: ['carol@one.test', 'dave@one.test'] })
    await office.send({ from: 'team@one.test' })
    expect(await office.queue()).toMatchObject([{ route: 'local', recipients: [{ forwardPath: 'team@one.test' }] }])
    await directory.updateAccount(carol, { quota: 100_000 })
    await office.advance(hour)
    expect(await office.inbox('carol@one.test')).toHaveLength(2)
    await directory.updateAccount(dave, { quota: 0 })
    await office.advance(hour)
    expect(await office.inbox('carol@one.test')).toHaveLength(2)
    expect(await office.inbox('dave@one.test')).toHaveLength(2)
    expect(await office.queue()).toEqual([])
  })
})

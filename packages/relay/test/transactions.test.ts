/** One message over one next hop: TLS, AUTH, parameters, many recipients, connections used again. */
import { isAscii } from 'node:buffer'
import { type Script, scriptedCertificate } from '@pennypost/smtp/scripted-server'
import { describe, expect, test } from 'vitest'
import { day, everything, inTurn, letter, minute, PostOffice } from './post-office.ts'

const withTls = [...everything, 'STARTTLS']
const people = (...names: string[]) => names.map((name) => ({ forwardPath: `${name}@two.test` }))

describe('opportunistic STARTTLS', () => {
  test('is used with any certificate', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', { capabilities: withTls })
    const [attempt] = await office.events(await office.send(), 'attempt')
    expect(mx.transactions[0]).toMatchObject({ secure: true })
    expect(attempt!.tls).toMatch(/^TLSv1\.3 /)
    expect(attempt!.tlsReason).toBe('opportunistic')
  })

  test('that fails in the handshake costs a new connection, in clear, at once', async () => {
    await using office = await PostOffice.open()
    const STARTTLS = { reply: '220 go', drop: true }
    const mx = office.peer('192.0.2.2', { capabilities: withTls, script: { STARTTLS } })
    const journey = await office.send()
    expect(mx.transactions[0]).toMatchObject({ secure: false })
    const [failed, delivered] = await office.events(journey, 'attempt')
    expect(failed!.error).toMatch(/^TLS failed: /)
    expect(failed!.transcript).toContain('C: STARTTLS')
    expect(delivered!.tlsReason).toMatch(/^TLS failed: .*; in clear$/)
    expect(delivered!.tls).toBeUndefined()
  })

  test('that is refused goes on in clear over the same connection', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', { capabilities: withTls, script: { STARTTLS: '454 4.7.0 not now' } })
    const [attempt] = await office.events(await office.send(), 'attempt')
    expect(mx.sessions).toHaveLength(1)
    expect(mx.transactions).toHaveLength(1)
    expect(attempt!.tlsReason).toBe('STARTTLS refused: 454 4.7.0 not now; in clear')
  })
})

describe('EHLO that is refused behind the handshake', () => {
  const offered = '250-mx.two.test\r\n250 STARTTLS'

  test.each([
    ['450 4.3.0 not now', 'deferred bob@two.test 450 4.3.0 not now'],
    ['550 5.3.0 never', 'failed bob@two.test 550 5.3.0 never'],
  ])('%s: nothing is sent without it', async (refusal, outcome) => {
    await using office = await PostOffice.open()
    const script = { EHLO: [offered, refusal], HELO: refusal }
    const peer = office.peer('192.0.2.2', { capabilities: [...everything, 'STARTTLS'], script })
    const journey = await office.send()
    expect(await office.trace(journey)).toContain(outcome)
    expect(peer.transactions).toEqual([])
    const [attempt] = await office.events(journey, 'attempt')
    expect(attempt).toMatchObject({ tls: expect.stringContaining('TLSv1.3'), tlsReason: 'opportunistic' })
  })
})

/** Takes what the administrator was told of next hops that are not as safe as their routes ask. */
function unsafe(office: PostOffice): unknown[] {
  const text = 'the next hop is not as safe as its route asks, and its mail waits'
  return office.logged.splice(0).filter((line) => line.level === 'error' && line.text === text)
}

describe('a smarthost', () => {
  const smarthost = { host: '192.0.2.99', port: 587, username: 'one', password: 'open sesame' }
  const capabilities = [...withTls, 'AUTH PLAIN']

  test('gets credentials under TLS with a certificate that stands, and no transcript has them', async () => {
    await using office = await PostOffice.open(
      { ca: [scriptedCertificate] },
      { smarthost: { ...smarthost, host: 'scripted.test' } },
    )
    office.zone('scripted.test', [['@', 'A', '192.0.2.99']])
    const peer = office.peer('192.0.2.99', { capabilities })
    const [attempt] = await office.events(await office.send({ destination: 'scripted.test:587' }), 'attempt')
    expect(peer.transactions[0]).toMatchObject({ secure: true })
    expect(office.dialled).toEqual(['192.0.2.99:587'])
    expect(attempt!.transcript).toContain('C: AUTH PLAIN ****')
    expect(JSON.stringify(attempt)).not.toContain(Buffer.from('open sesame').toString('base64').slice(0, 8))
  })

  test('gets neither credentials nor mail where its certificate does not stand, or TLS is missing', async () => {
    for (const offered of [capabilities, [...everything, 'AUTH PLAIN']]) {
      await using office = await PostOffice.open({}, { smarthost: { ...smarthost, host: 'scripted.test' } })
      office.zone('scripted.test', [['@', 'A', '192.0.2.99']])
      const peer = office.peer('192.0.2.99', { capabilities: offered })
      const journey = await office.send({ destination: 'scripted.test:587' })
      expect(peer.sessions[0]!.commands.join()).not.toContain('AUTH')
      expect((await office.trace(journey)).at(-1)).toContain(
        'deferred bob@two.test 454 4.7.5 scripted.test[192.0.2.99]:587: credentials for the next hop wants TLS',
      )
      // All mail waited, and the administrator heard of it only by looking into the queue.
      expect(unsafe(office)).toHaveLength(1)
    }
  })

  test('on port 465 was said to be out of reach where its certificate does not stand', async () => {
    const fault = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })
    await using office = await PostOffice.open(
      ({ dialer }) => ({ dialer: { ...dialer, secure: () => Promise.reject(fault) } }),
      { smarthost: { ...smarthost, host: 'scripted.test', port: 465 } },
    )
    office.zone('scripted.test', [['@', 'A', '192.0.2.99']])
    office.peer('192.0.2.99')
    const journey = await office.send({ destination: 'scripted.test:465' })
    expect((await office.trace(journey)).at(-1)).toBe(
      'deferred bob@two.test 454 4.7.5 scripted.test[192.0.2.99]:465: port 465 wants TLS: CERT_HAS_EXPIRED certificate has expired',
    )
    expect(unsafe(office)).toHaveLength(1)
  })

  test('on port 465 that does not answer in the handshake was said to be less safe than its route asks', async () => {
    const late = new DOMException('Not done in time', 'TimeoutError')
    await using office = await PostOffice.open(
      ({ dialer }) => ({ dialer: { ...dialer, secure: () => Promise.reject(late) } }),
      { smarthost: { ...smarthost, host: 'scripted.test', port: 465 } },
    )
    office.zone('scripted.test', [['@', 'A', '192.0.2.99']])
    office.peer('192.0.2.99')
    const journey = await office.send({ destination: 'scripted.test:465' })
    expect((await office.trace(journey)).at(-1)).toContain('port 465 wants TLS: no answer in time')
    expect(unsafe(office)).toEqual([])
  })

  test('on loopback needs no TLS', async () => {
    await using office = await PostOffice.open({}, { smarthost: { ...smarthost, host: '127.0.0.1' } })
    const peer = office.peer('127.0.0.1', { capabilities: [...everything, 'AUTH PLAIN'] })
    await office.send({ destination: '127.0.0.1:587' })
    expect(peer.sessions[0]!.commands).toContain(`AUTH PLAIN ${Buffer.from('\0one\0open sesame').toString('base64')}`)
    expect(peer.transactions).toHaveLength(1)
  })

  test('a store behind a Unix socket got no credentials, for want of TLS, and all mail for it came back', async () => {
    const store = { host: '', port: 0, protocol: 'lmtp', path: '/run/store', username: 'one', password: 'x' } as const
    await using office = await PostOffice.open({}, { routes: [{ domain: 'two.test', to: store }] })
    const peer = office.peer('/run/store', { protocol: 'lmtp', capabilities: ['AUTH PLAIN'] })
    await office.send({ destination: 'lmtp:/run/store;one' })
    expect(peer.sessions[0]!.commands).toContain(`AUTH PLAIN ${Buffer.from('\0one\0x').toString('base64')}`)
    expect(peer.transactions).toHaveLength(1)
  })

  test('that refuses the credentials makes mail wait', async () => {
    await using office = await PostOffice.open({}, { smarthost: { ...smarthost, host: '127.0.0.1' } })
    office.peer('127.0.0.1', { capabilities: ['AUTH PLAIN'], script: { AUTH: '535 5.7.8 wrong' } })
    expect((await office.trace(await office.send({ destination: '127.0.0.1:587' }))).at(-1)).toBe(
      'deferred bob@two.test 535 5.7.8 wrong',
    )
    // The administrator heard of it only by looking into the queue.
    const text = 'the next hop does not take our login, and its mail waits'
    expect(office.logged.splice(0)).toContainEqual({
      level: 'error',
      facts: { error: '[127.0.0.1]:587: 535 5.7.8 wrong' },
      text,
    })
  })

  test('that is configured no more bounced all mail that waited for it', async () => {
    await using office = await PostOffice.open()
    const peer = office.peer('127.0.0.1', { script: { MAIL: '530 5.7.0 Authentication required' } })
    const destination = '127.0.0.1:587;one'
    expect((await office.trace(await office.send({ destination }))).at(-1)).toBe(
      'deferred bob@two.test 451 4.4.4 The next hop is configured no more, and its mail waits',
    )
    expect(peer.sessions).toEqual([])
    const text = 'a next hop is configured no more, and its mail waits'
    expect(office.logged.splice(0)).toContainEqual({ level: 'error', facts: { destination }, text })
  })
})

describe('routes', () => {
  test('by the MX of a smarthost: the certificate is for the domain that was configured', async () => {
    const smarthost = { host: 'scripted.test', port: 25, viaMx: true, username: 'one', password: 'x' } as const
    await using office = await PostOffice.open({ ca: [scriptedCertificate] }, { smarthost })
    office.zone('scripted.test', [
      ['@', 'MX', '10 out'],
      ['out', 'A', '192.0.2.99'],
    ])
    const peer = office.peer('192.0.2.99', { capabilities: [...withTls, 'AUTH PLAIN'] })
    await office.send({ destination: 'mx:scripted.test:25' })
    expect(peer.transactions[0]).toMatchObject({ secure: true })
    expect(peer.sessions[0]!.commands.join()).toContain('AUTH PLAIN')
  })

  test('to another store by LMTP: an answer for each recipient, over TCP and a Unix socket', async () => {
    for (const [destination, address] of [
      ['lmtp:store.test:24', '192.0.2.50'],
      ['lmtp:/run/store', '/run/store'],
    ] as const) {
      await using office = await PostOffice.open()
      office.zone('store.test', [['@', 'A', '192.0.2.50']])
      const script = { CONTENT: (to: string) => (to.includes('full') ? '452 4.2.2 full' : undefined) }
      const store = office.peer(address, { protocol: 'lmtp', capabilities: ['PIPELINING'], script })
      const recipients = [{ forwardPath: 'bob@two.test' }, { forwardPath: 'full@two.test' }]
      const trace = await office.trace(await office.send({ destination, recipients }))
      expect(store.sessions[0]!.commands[0]).toBe('LHLO mail.one.test')
      expect(trace).toContainEqual(expect.stringMatching(/^delivered bob@two\.test 250/))
      expect(trace).toContain('deferred full@two.test 452 4.2.2 full')
    }
  })

  test('a bounce tells nobody on which socket of ours the store listens that refused', async () => {
    await using office = await PostOffice.open()
    const script = { CONTENT: () => '550 5.2.1 closed' }
    office.peer('/run/store', { protocol: 'lmtp', capabilities: ['PIPELINING'], script })
    await office.send({ destination: 'lmtp:/run/store' })
    const [bounce] = await office.inbox()
    expect(bounce).toContain('Diagnostic-Code: smtp; 550 5.2.1 closed')
    expect(bounce).not.toContain('/run/store')
  })

  test.each([
    ['is not there', undefined],
    ['hangs up', { GREETING: { drop: true } }],
    ['hangs up on the content', { CONTENT: { drop: true } }],
  ] as const)('a bounce told on which socket of ours the store listens that %s', async (_, script) => {
    await using office = await PostOffice.open({ schedule: { expireMs: minute } })
    if (script) office.peer('/run/store', { protocol: 'lmtp', capabilities: ['PIPELINING'], script })
    const journey = await office.send({ destination: 'lmtp:/run/store' })
    await office.advance(day)
    const [bounce] = await office.inbox()
    expect(bounce).toContain('Diagnostic-Code: smtp; 451 ')
    expect(bounce).not.toContain('/run/store')
    // Who runs the server sees it.
    expect(await office.events(journey, 'attempt')).toContainEqual(expect.objectContaining({ address: '/run/store' }))
  })

  test('a store that is called what we are is no loop', async () => {
    await using office = await PostOffice.open()
    const script = { GREETING: '220 mail.one.test LMTP' }
    const store = office.peer('/run/store', { protocol: 'lmtp', script })
    await office.send({ destination: 'lmtp:/run/store' })
    expect(store.transactions).toHaveLength(1)
  })

  test('connections leave from the address of their family', async () => {
    const from: (string | undefined)[] = []
    await using office = await PostOffice.open((made) => ({
      sourceAddresses: ['192.0.2.200', '2001:db8::200'],
      dialer: {
        secure: made.dialer.secure,
        connect(to, signal) {
          from.push(to.localAddress)
          return made.dialer.connect(to, signal)
        },
      },
    }))
    office.zone('two.test', [['mx', 'AAAA', '2001:db8::2']])
    await office.send()
    expect(from).toEqual(['192.0.2.200', '2001:db8::200'])
  })
})

describe('connections', () => {
  test('are used for several messages, and closed when idle', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    const first = await office.send()
    const second = await office.send()
    expect(mx.sessions).toHaveLength(1)
    expect(mx.transactions).toHaveLength(2)
    const [attempt] = await office.events(second, 'attempt')
    expect(attempt!.transcript).toBeUndefined()
    expect((await office.events(first, 'attempt'))[0]!.transcript).toBeDefined()
    await office.advance(minute)
    await office.send()
    expect(mx.sessions).toHaveLength(2)
  })

  test('carry so many messages and no more', async () => {
    await using office = await PostOffice.open({ limits: { transactionsPerConnection: 2 } })
    const mx = office.peer('192.0.2.2')
    for (let count = 0; count < 5; count++) await office.send()
    expect(mx.sessions.map(({ commands }) => commands.filter((line) => line.startsWith('MAIL')).length)).toEqual([
      2, 2, 1,
    ])
    expect(mx.sessions[0]!.commands.at(-1)).toBe('QUIT')
  })

  test('that the peer closed meanwhile cost nothing but a new one', async () => {
    await using office = await PostOffice.open()
    const MAIL = inTurn('250 ok', '421 4.4.2 idle too long', '250 ok')
    const mx = office.peer('192.0.2.2', { script: { MAIL } })
    await office.send()
    const journey = await office.send()
    expect(mx.transactions).toHaveLength(2)
    expect(mx.sessions).toHaveLength(2)
    expect((await office.trace(journey)).at(-1)).toContain('delivered bob@two.test')
  })

  test('that the peer takes back behind EHLO are not made again and again', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { script: { EHLO: '250 mx.two.test\r\n421 4.3.2 going down' } })
    const trace = await office.trace(await office.send())
    expect(office.dialled).toHaveLength(1)
    expect(trace.at(-1)).toMatch(/^deferred bob@two\.test 451 4\.4\.2 mx\.two\.test\[192\.0\.2\.2\]:25 went away/)
  })

  test('are so many for one destination and no more', async () => {
    await using office = await PostOffice.open({ limits: { connectionsPerDestination: 3 } })
    const mx = office.peer('192.0.2.2')
    for (let count = 0; count < 30; count++) await office.accept()
    await office.advance(0)
    expect(mx.transactions).toHaveLength(30)
    expect(mx.sessions.length).toBeLessThanOrEqual(3)
  })

  test('refused while others stand: those that stand do the work', async () => {
    await using office = await PostOffice.open()
    let greeted = 0
    const GREETING = () => (++greeted > 2 ? '421 4.7.0 too many connections' : undefined)
    const mx = office.peer('192.0.2.2', { script: { GREETING } })
    for (let count = 0; count < 30; count++) await office.accept()
    await office.advance(0)
    expect(mx.transactions).toHaveLength(30)
  })
})

describe('several recipients', () => {
  test('of one destination share a transaction', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    await office.send({ recipients: people('bob', 'carol', 'dave') })
    expect(mx.transactions[0]!.recipients).toEqual(['TO:<bob@two.test>', 'TO:<carol@two.test>', 'TO:<dave@two.test>'])
  })

  test('too many for the peer: the rest goes at once, over the same connection', async () => {
    await using office = await PostOffice.open()
    const RCPT = (_: string, nth: number) => (nth % 3 === 2 ? '452 4.5.3 too many' : undefined)
    const mx = office.peer('192.0.2.2', { script: { RCPT } })
    await office.send({ recipients: people('a', 'b', 'c', 'd') })
    expect(mx.transactions.map(({ recipients }) => recipients)).toEqual([
      ['TO:<a@two.test>', 'TO:<b@two.test>', 'TO:<d@two.test>'],
      ['TO:<c@two.test>'],
    ])
    expect(mx.sessions).toHaveLength(1)
    expect(await office.queue()).toEqual([])
  })

  test('a peer that has too many with the first one is asked again on schedule', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', { script: { RCPT: '452 4.5.3 too many' } })
    await office.send({ recipients: people('a', 'b') })
    expect(mx.sessions[0]!.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(1)
    expect(await office.queue()).toMatchObject([{ attempts: 1, recipients: [{}, {}] }])
  })

  test('each has its own outcome', async () => {
    await using office = await PostOffice.open()
    const RCPT = (argument: string) =>
      argument.includes('nobody') ? '550 5.1.1 no such user' : argument.includes('busy') ? '450 4.2.0 busy' : undefined
    const mx = office.peer('192.0.2.2', { script: { RCPT } })
    const journey = await office.send({ recipients: people('bob', 'nobody', 'busy') })
    expect(mx.transactions[0]!.recipients).toEqual(['TO:<bob@two.test>'])
    expect((await office.trace(journey)).slice(1)).toEqual([
      'delivered bob@two.test 250 2.0.0 Ok: queued as SCRIPTED',
      'failed nobody@two.test 550 5.1.1 no such user',
      'deferred busy@two.test 450 4.2.0 busy',
      'dsn failed to alice@one.test',
    ])
    expect(await office.queue()).toMatchObject([{ recipients: [{ forwardPath: 'busy@two.test' }] }])
  })

  test('of forwards get their own Delivered-To before the header, and all the ARC set before that', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    const seal = 'ARC-Seal: i=1;\r\n\tb=abc\r\n'
    await office.send({
      envelope: { seal },
      recipients: [
        { forwardPath: 'bob@two.test', trace: 'Delivered-To: sales@one.test\r\n' },
        { forwardPath: 'carol@two.test' },
        { forwardPath: 'dave@two.test', trace: 'Delivered-To: sales@one.test\r\n' },
      ],
    })
    const [forwarded, plain] = mx.transactions
    expect(forwarded!.recipients).toEqual(['TO:<bob@two.test>', 'TO:<dave@two.test>'])
    expect(forwarded!.content.toString()).toContain(`${seal}Delivered-To: sales@one.test\r\nFrom: `)
    expect(plain!.content.toString()).toContain(`${seal}From: `)
  })
})

describe('after the dot', () => {
  test('a connection that breaks means later, not elsewhere', async () => {
    await using office = await PostOffice.open()
    office.zone('two.test', [
      ['@', 'MX', '10 mx'],
      ['@', 'MX', '20 backup'],
      ['backup', 'A', '192.0.2.3'],
    ])
    const CONTENT: Script = (_, _nth, session) => (mx.sessions[0] === session ? { drop: true } : undefined)
    const mx = office.peer('192.0.2.2', { script: { CONTENT } })
    const backup = office.peer('192.0.2.3')
    const journey = await office.send()
    expect(backup.sessions).toHaveLength(0)
    expect((await office.trace(journey)).at(-1)).toContain('deferred bob@two.test 451 4.4.2')
    await office.advance(17 * minute)
    expect(mx.sessions).toHaveLength(2)
    expect((await office.trace(journey)).at(-1)).toContain('delivered bob@two.test')
  })

  test('what the peer says is for all', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { script: { CONTENT: '554 5.7.1 spam' } })
    const journey = await office.send({ recipients: people('bob', 'carol') })
    expect((await office.trace(journey)).filter((line) => line.startsWith('failed'))).toHaveLength(2)
    expect(await office.inbox()).toHaveLength(1)
  })
})

describe('what goes over the wire', () => {
  test('DSN parameters reach a next hop that knows them', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    await office.send({
      envelope: { ret: 'HDRS', envid: 'Q 1' },
      recipients: [{ forwardPath: 'bob@two.test', notify: ['SUCCESS', 'DELAY'], orcpt: 'rfc822;b+ob@two.test' }],
    })
    expect(mx.transactions[0]!.mail).toContain(' RET=HDRS ENVID=Q+201')
    expect(mx.transactions[0]!.recipients).toEqual([
      'TO:<bob@two.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bob@two.test',
    ])
  })

  test('8BITMIME where the body needs it, dots are stuffed, large messages are streamed whole', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2')
    const source = Buffer.from(`Subject: x\r\n\r\n${'.grüße\r\n'.repeat(30_000)}`)
    await office.send({ source })
    expect(mx.transactions[0]!.mail).toContain(' BODY=8BITMIME')
    expect(mx.transactions[0]!.content.equals(source)).toBe(true)
  })

  test('SMTPUTF8 is needed for addresses beyond ASCII: 5.6.7 from a next hop without', async () => {
    await using office = await PostOffice.open()
    office.peer('192.0.2.2', { capabilities: ['8BITMIME'] })
    const journey = await office.send({ recipients: [{ forwardPath: 'zoë@two.test' }] })
    expect((await office.trace(journey))[1]).toContain('failed zoë@two.test 550 5.6.7')
  })

  test('a header beyond ASCII needs it only if the client declared it', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', { capabilities: ['8BITMIME'] })
    const source = letter.replace('hello', 'grüße')
    await office.send({ source })
    expect(mx.transactions).toHaveLength(1)
    const journey = await office.send({ source, envelope: { smtpUtf8: true } })
    expect((await office.trace(journey))[1]).toContain('failed bob@two.test 550 5.6.9')
    await office.send({ envelope: { smtpUtf8: true } })
    expect(mx.transactions).toHaveLength(2)
  })

  test('a next hop without 8BITMIME gets the body in 7 bits', async () => {
    await using office = await PostOffice.open()
    const mx = office.peer('192.0.2.2', { capabilities: ['PIPELINING'] })
    await office.send({ source: Buffer.from('Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n') })
    const { mail, content } = mx.transactions[0]!
    expect(mail).not.toContain('BODY=')
    expect(isAscii(content)).toBe(true)
    expect(content.toString()).toContain('MIME-Version: 1.0\r\n')
  })
})

describe('CHUNKING that is offered by a host that does not know BDAT', () => {
  test.each(['500 5.5.2 What?', '502 5.5.1 Not implemented', '503 5.5.1 Out of sequence'])(
    '%s: the mail was returned to its sender',
    async (refusal) => {
      await using office = await PostOffice.open()
      const script = { CONTENT: inTurn(refusal, '250 2.0.0 ok') }
      const mx = office.peer('192.0.2.2', { capabilities: [...everything, 'CHUNKING'], script })
      const [refused, delivered] = await office.events(await office.send(), 'attempt')
      expect(refused!.transcript).toContainEqual(expect.stringMatching(/^C: BDAT \d+ LAST/))
      expect(delivered!.transcript).toContain('C: DATA')
      expect(mx.transactions).toHaveLength(1)
      await office.send()
      expect(mx.transactions).toHaveLength(2)
      expect(mx.sessions.flatMap(({ commands }) => commands).filter((line) => line.startsWith('BDAT'))).toHaveLength(1)
    },
  )
})

import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { type Deadline, silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { sealMessage } from 'mailauth/lib/arc/index.js'
import { afterAll, expect, test } from 'vitest'
import { type Script, scriptedResolver } from '../test/scripted-resolver.ts'
import { inPieces, signedMessage } from '../test/signed-message.ts'
import { authenticationResults } from './authentication-results.ts'
import { type Checker, type CheckerOptions, createChecker, type MessageFacts } from './checker.ts'
import type { Finding } from './findings/finding.ts'
import type { SenderFacts } from './findings/spf.ts'
import { judge } from './judge.ts'

const never = new AbortController().signal
const body = Buffer.from('Hello.\r\n')
const signed = await signedMessage(body)

const checkers: AsyncDisposable[] = []
afterAll(() => Promise.all(checkers.map((checker) => checker[Symbol.asyncDispose]())))

function open(script: Script, options: Partial<CheckerOptions> = {}) {
  const resolver = scriptedResolver(script)
  const clock = virtualClock()
  const checker = createChecker({
    resolver,
    clock,
    deadline: systemDeadline,
    log: silentLog,
    hostname: 'mx.two.test',
    ...options,
  })
  checkers.push(checker)
  return Object.assign(checker, { resolver, clock })
}

type Facts = SenderFacts & MessageFacts

/** As reception asks: about the client, the sender, and the content while the sender is still being asked about. */
async function checkAll(checker: Checker, facts: Facts, signal = never): Promise<Finding[]> {
  const connection = checker.checkConnection(facts.clientAddress, signal)
  const spf = checker.checkSender(facts, signal)
  const content = await checker.checkContent(facts, spf, signal)
  return [...(await connection), await spf, ...content]
}

const facts = (more: Partial<Facts> = {}): Facts => ({
  clientAddress: '192.0.2.1',
  helo: 'mail.one.test',
  reversePath: 'alice@one.test',
  authorDomains: ['one.test'],
  header: signed.header,
  body: () => inPieces(body),
  ...more,
})

const script: Script = {
  ...signed.script,
  'one.test TXT': ['v=spf1 a:mail.one.test -all'],
  'mail.one.test A': ['192.0.2.1'],
  '1.2.0.192.in-addr.arpa PTR': ['mail.one.test'],
  '_dmarc.one.test TXT': ['v=DMARC1; p=reject'],
}

test('a message as it should be passes everything', async () => {
  const checker = open(script, { lists: [{ zone: 'list.test', kind: 'dnsbl' }] })
  const findings = await checkAll(checker, facts())
  expect(findings.map(({ check, result }) => `${check} ${result}`)).toEqual([
    'reverse-dns pass',
    'dnsbl not-listed',
    'spf pass',
    'dkim pass',
    'arc none',
    'dmarc pass',
  ])
  expect(findings.find(({ check }) => check === 'dkim')).toMatchObject({
    signatures: [
      { result: 'pass', domain: 'one.test', selector: 'e', algorithm: 'ed25519-sha256' },
      { result: 'pass', domain: 'one.test', selector: 'r', algorithm: 'rsa-sha256' },
    ],
  })
  expect(judge(findings)).toMatchObject({ action: 'accept', reason: 'clean' })
  expect(checker.clock.held()).toEqual([])
})

test('a forged one fails, and is rejected as its domain asks', async () => {
  const forged = facts({ clientAddress: '198.51.100.1', body: () => inPieces(Buffer.from('Forged.\r\n')) })
  const findings = await checkAll(open(script), forged)
  expect(findings.map(({ check, result }) => `${check} ${result}`)).toEqual([
    'reverse-dns permerror',
    'spf fail',
    'dkim fail',
    'arc none',
    'dmarc fail',
  ])
  expect(judge(findings)).toMatchObject({ action: 'reject', reply: { code: 550, enhanced: '5.7.26' } })
})

test('a large body is verified in pieces', async () => {
  const large = Buffer.from(`${'A'.repeat(76)}\r\n`.repeat(20_000))
  const message = await signedMessage(large)
  const checker = open(message.script)
  for (const size of [1000, 65_536, 1_000_000]) {
    const content = { header: message.header, body: () => inPieces(large, size), authorDomains: [] }
    const spf = checker.checkSender(facts(), never)
    expect((await checker.checkContent(content, spf, never))[0]).toMatchObject({ check: 'dkim', result: 'pass' })
  }
})

test('a signature stands whether the header section comes with its empty line or without', async () => {
  const body = Buffer.from('hello\r\n')
  const message = await signedMessage(body)
  const checker = open(message.script)
  const spf = checker.checkSender(facts(), never)
  for (const end of ['', '\r\n']) {
    const header = Buffer.concat([message.header, Buffer.from(end)])
    const content = { header, body: () => inPieces(body), authorDomains: [] }
    expect((await checker.checkContent(content, spf, never))[0]).toMatchObject({ check: 'dkim', result: 'pass' })
  }
})

test('without signature or record no worker is asked', async () => {
  const checker = open({}, { workerUrl: new URL('file:///nowhere.ts') })
  const header = Buffer.from('From: alice@one.test\r\nSubject: dkim-signature: no\r\n')
  const findings = await checkAll(checker, facts({ header }))
  expect(findings.map(({ result }) => result)).toEqual(['permerror', 'none', 'none', 'none', 'none'])
})

test('a worker that cannot start makes findings unavailable, and nobody guilty', async () => {
  const checker = open(script, { workerUrl: new URL('file:///nowhere.ts') })
  const findings = await checkAll(checker, facts())
  expect(findings.slice(1).map(({ result }) => result)).toEqual([
    'unavailable',
    'unavailable',
    'unavailable',
    'temperror',
  ])
  expect(judge(findings).action).toBe('accept')
})

test('what is not known by the deadline is unavailable', async () => {
  const limits = { reverseDnsMs: 5, dnsListMs: 5, spfMs: 5, signaturesMs: 5, dmarcMs: 5 }
  const silent: Script = Object.fromEntries(
    [...Object.keys(script), '1.2.0.192.list.test A'].map((question) => [question, 'silent']),
  )
  const checker = open(silent, { limits, lists: [{ zone: 'list.test', kind: 'dnsbl' }] })
  const findings = await checkAll(checker, facts())
  for (const finding of findings) expect(finding).toMatchObject({ result: 'unavailable', detail: /after 5 ms/ })
})

test('a caller who gives up gets its findings at once', async () => {
  const findings = await checkAll(open(script), facts(), AbortSignal.abort(new Error('client is gone')))
  for (const finding of findings) expect(finding).toMatchObject({ result: 'unavailable', detail: 'client is gone' })
})

test('who made the checks slow had no author that a policy could be asked of, and nobody minded', async () => {
  const content = { ...facts(), authorDomains: [] }
  const gone = AbortSignal.abort(new Error('not known in time'))
  const checker = open(script)
  const findings = await checker.checkContent(content, checker.checkSender(facts(), never), gone)
  expect(findings.map(({ check, result }) => `${check} ${result}`)).toEqual([
    'dkim unavailable',
    'arc unavailable',
    'dmarc permerror',
  ])
  expect(judge(findings)).toMatchObject({ reason: 'author' })
})

test('a body that breaks off is unavailable, and the next message is checked', async () => {
  const checker = open(script)
  async function* broken(): AsyncIterable<Buffer> {
    yield body
    throw new Error('connection lost')
  }
  const [, , dkim] = await checkAll(checker, facts({ body: broken }))
  expect(dkim).toMatchObject({ check: 'dkim', result: 'unavailable', detail: 'connection lost' })
  const [, , next] = await checkAll(checker, facts())
  expect(next).toMatchObject({ check: 'dkim', result: 'pass' })
})

test('the null reverse-path is checked by its HELO name', async () => {
  const checker = open({ ...script, 'mail.one.test TXT': ['v=spf1 a -all'] })
  const sender = { clientAddress: '192.0.2.1', helo: 'mail.one.test', reversePath: '' }
  expect(await checker.checkSender(sender, never)).toMatchObject({
    identity: 'helo',
    domain: 'mail.one.test',
    result: 'pass',
  })
  expect(await checker.checkSender({ ...sender, helo: '[192.0.2.1]' }, never)).toMatchObject({ result: 'none' })
  expect(await checker.checkSender({ ...sender, helo: 'localhost' }, never)).toMatchObject({ result: 'none' })
})

test('a key is found among other TXT records at its selector', async () => {
  const other = 'v=spf1 include:elsewhere.test -all'
  const key = signed.script['r._domainkey.one.test TXT'] as string[]
  const checker = open({
    ...signed.script,
    'e._domainkey.one.test TXT': [],
    'r._domainkey.one.test TXT': [other, ...key],
  })
  const [, , dkim] = await checkAll(checker, facts())
  expect(dkim).toMatchObject({ result: 'pass', signatures: [{ selector: 'e' }, { selector: 'r', result: 'pass' }] })
})

/** A message whose signature names each field once, as most do: the fields, and the record that proves them. */
function signedOnce(
  selector: string,
  fields: readonly string[],
  domain = 'one.test',
): { header: string; script: Script } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const digest = (text: string | Buffer) => createHash('sha256').update(text).digest()
  const names = fields.map((field) => field.slice(0, field.indexOf(':')))
  const tags = `v=1; a=ed25519-sha256; c=relaxed/relaxed; d=${domain}; s=${selector}; h=${names.join(':')}`
  const field = `${tags}; bh=${digest(body).toString('base64')}; b=`
  const relaxed = fields.map((each, at) => `${names[at]?.toLowerCase()}:${each.slice(each.indexOf(':') + 2)}\r\n`)
  const signature = sign(null, digest(`${relaxed.join('')}dkim-signature:${field}`), privateKey).toString('base64')
  const key = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')
  return {
    header: `DKIM-Signature: ${field}${signature}\r\n${fields.map((each) => `${each}\r\n`).join('')}`,
    script: { [`${selector}._domainkey.${domain} TXT`]: [`v=DKIM1; k=ed25519; p=${key}`] },
  }
}

test('a sender with an underscore, and a HELO name with a dot at its end, were without a policy', async () => {
  const checker = open({ 'my_mail.one.test TXT': ['v=spf1 ip4:192.0.2.1 -all'] })
  for (const sender of [{ reversePath: 'a@my_mail.one.test' }, { reversePath: '', helo: 'my_mail.one.test.' }]) {
    expect(await checker.checkSender(facts(sender), never)).toMatchObject({
      domain: 'my_mail.one.test',
      result: 'pass',
    })
  }
})

test('names of any length in signatures went into the journey whole', async () => {
  const long = 'x'.repeat(30_000)
  const tags = `a=rsa-sha256${long}; d=${long}.test; s=${long}; b=AA`
  const arc = `ARC-Seal: i=1; cv=none; ${tags}\r\nARC-Message-Signature: i=1; h=from; bh=x; ${tags}\r\nARC-Authentication-Results: i=1; x\r\n`
  const header = Buffer.from(`DKIM-Signature: v=1; h=from; bh=x; ${tags}\r\n${arc}From: alice@one.test\r\n`)
  expect(JSON.stringify(await checkAll(open({}), facts({ header }))).length).toBeLessThan(5_000)
})

test('what a broken SPF record says went into the journey whole', async () => {
  const checker = open({ 'one.test TXT': [`v=spf1 ${'a'.repeat(60_000)} -all`] })
  const spf = await checker.checkSender(facts(), never)
  expect(spf.result).toBe('permerror')
  expect(spf.detail.length).toBeLessThan(300)
})

test.each([
  ['selector', 'one.test', 'my_mail'],
  ['domain', 'my_mail.one.test', 's'],
])('a %s may have an underscore', async (_, domain, selector) => {
  const message = signedOnce(selector, [`From: alice@${domain}`], domain)
  const [, , dkim] = await checkAll(open(message.script), facts({ header: Buffer.from(message.header) }))
  expect(dkim).toMatchObject({ result: 'pass', signatures: [{ domain, selector }] })
})

test('who forges a domain got around DMARC by a signature that the verifier chokes on', async () => {
  const broken = 'DKIM-Signature: v=1; a=rsa-sha256; c=/; d=x.test; s=s; h=from; bh=AAAA; b=AAAA\r\n'
  const header = Buffer.concat([Buffer.from(broken), signed.header])
  const forged = facts({ header, body: () => inPieces(Buffer.from('Forged.\r\n')), clientAddress: '192.0.2.9' })
  const findings = await checkAll(open(script), forged)
  expect(judge(findings)).toMatchObject({ action: 'reject', reason: 'dmarc-reject' })
  // Nor does it take a good signature's word away.
  expect((await checkAll(open(script), facts({ header })))[2]).toMatchObject({ result: 'pass' })
})

test('who forges a domain got around DMARC by a message that the verifier chokes on', async () => {
  const source = `import verifier from '${import.meta.resolve('mailauth/lib/dkim/dkim-verifier.js')}'
    verifier.DkimVerifier.prototype.messageHeaders = () => Promise.reject(new Error('choked'))
    await import('${new URL('./checks/main.ts', import.meta.url)}')`
  const workerUrl = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
  const findings = await checkAll(open(script, { workerUrl }), facts({ clientAddress: '192.0.2.9' }))
  expect(findings[2]).toMatchObject({ result: 'policy', detail: 'cannot be verified: choked' })
  expect(judge(findings)).toMatchObject({ action: 'reject', reason: 'dmarc-reject' })
})

test('who forges a domain got around DMARC by signatures whose keys are long in coming', async () => {
  const over = new AbortController()
  const deadline = { ...systemDeadline, signal: () => over.signal }
  const forged = signedOnce('f', ['From: alice@one.test'])
  const slow = ['slow.test', 'slower.test'].map((domain) => forged.header.split('\r\n')[0]?.replace('one.test', domain))
  const checker = open(
    {
      ...script,
      ...signedOnce('f', ['From: alice@one.test']).script,
      'f._domainkey.slow.test TXT': 'silent',
      'f._domainkey.slower.test TXT': 'silent',
    },
    { deadline },
  )
  const header = Buffer.from(`${slow.join('\r\n')}\r\n${forged.header}`)
  const found = checkAll(checker, facts({ clientAddress: '192.0.2.9', header }))
  const keys = ['slow.test', 'slower.test', 'one.test'].map((domain) => `f._domainkey.${domain} TXT`)
  await expect.poll(() => checker.resolver.asked.filter((asked) => keys.includes(asked))).toEqual(keys)
  over.abort(new Error('long enough'))
  const findings = await found
  expect(findings.find(({ check }) => check === 'dkim')).toMatchObject({
    signatures: [{ result: 'temperror' }, { result: 'temperror' }, { result: 'fail' }],
  })
  expect(judge(findings)).toMatchObject({ action: 'reject', reason: 'dmarc-reject' })
})

test.each([
  ['beyond ASCII', 'd=one.test', 'd=\u00fc.one.test', 'f._domainkey.xn--tda.one.test TXT'],
  ['in a line that begins no field', '; s=', ';\r\ns=', 'f._domainkey.one.test TXT'],
])('a key whose name is written %s was asked for behind those that are long in coming', async (_, from, to, key) => {
  const forged = signedOnce('f', ['From: alice@one.test']).header
  const slow = forged.split('\r\n')[0]?.replace('one.test', 'slow.test')
  const checker = open({ ...script, 'f._domainkey.slow.test TXT': 'silent' })
  const over = new AbortController()
  const header = Buffer.from(`${slow}\r\n${forged.replace(from, to)}`)
  const found = checkAll(checker, facts({ header }), over.signal)
  await expect.poll(() => checker.resolver.asked).toContain(key)
  over.abort(new Error('long enough'))
  await found
})

test('who forges a domain whose SPF record has ptr got around it by names that are long in coming', async () => {
  const over = new AbortController()
  const deadline: Deadline = {
    ...systemDeadline,
    signal: (delayMs, parent) => AbortSignal.any([delayMs === 5_000 ? over.signal : never, parent ?? never]),
  }
  const checker = open(
    {
      'one.test TXT': ['v=spf1 ptr a:mail.one.test -all'],
      'mail.one.test A': ['192.0.2.1'],
      '9.2.0.192.in-addr.arpa PTR': ['a.slow.test', 'b.slow.test'],
      'a.slow.test A': 'silent',
      'b.slow.test A': 'silent',
    },
    { deadline },
  )
  const found = checker.checkSender(facts({ clientAddress: '192.0.2.9' }), never)
  await expect.poll(() => checker.resolver.asked).toContain('a.slow.test A')
  over.abort(new Error('long enough'))
  expect(await found).toMatchObject({ result: 'fail' })
})

test('a field put on top of a signed message did not pass for signed', async () => {
  const message = signedOnce('s', ['From: alice@one.test', 'Subject: lunch'])
  const checker = open(message.script)
  const outcomeOf = async (header: string) => {
    const findings = await checkAll(checker, facts({ clientAddress: '192.0.2.9', header: Buffer.from(header) }))
    return findings.find(({ check }) => check === 'dkim')
  }
  expect(await outcomeOf(`Received: from x\r\nReply-To: bob@two.test\r\n${message.header}`)).toMatchObject({
    result: 'pass',
  })
  for (const added of ['From: boss@one.test', 'Subject: pay this', 'FROM : boss@one.test']) {
    const name = added.slice(0, added.indexOf(':')).trim().toLowerCase()
    const outcome = { result: 'policy', detail: `one.test: one more ${name} than was signed` }
    expect(await outcomeOf(`${added}\r\n${message.header}`)).toMatchObject(outcome)
    expect(await outcomeOf(`${message.header}${added}\r\n`)).not.toMatchObject({ result: 'pass' })
  }
})

test.each(['DKIM-Signature:', 'DKIM-Signature\r\n :'])('of many signatures ten are looked at: %j', async (name) => {
  const many = Array.from(
    { length: 40 },
    (_, i) => `${name} v=1; a=rsa-sha256; d=d${i}.test; s=s; h=from; bh=x; b=x\r\n`,
  ).join('')
  const checker = open(script)
  const header = Buffer.concat([Buffer.from(many), signed.header])
  const [, , dkim] = await checkAll(checker, facts({ header }))
  expect(dkim).toMatchObject({ result: 'fail' })
  expect(dkim?.check === 'dkim' && dkim.signatures.map(({ domain }) => domain)).toEqual(
    Array.from({ length: 10 }, (_, i) => `d${i}.test`),
  )
})

test('a message that is made to take long kept the worker from all other mail', async () => {
  const checker = open(script)
  const folds = `DKIM-Signature: v=1;${'\r\n '.repeat(300_000)}a=rsa-sha256; d=x.test; s=s; h=from; bh=AAAA; b=AAAA\r\n`
  const header = Buffer.concat([Buffer.from(folds), signed.header])
  const spaces = Buffer.from(`x${' '.repeat(1000)}`.repeat(20_000))
  const fields = ['d=x.test', 'l=1', 'l=2', 'l=3', 'l=4', 'l=5', 'l=6', 'l=7', 'l=8'].map(
    (tag) =>
      `DKIM-Signature: v=1;\r\nc=relaxed/relaxed; a=rsa-sha256; d=x.test; s=s; h=from; bh=AAAA; b=AAAA; ${tag}\r\n`,
  )
  const hashes = Buffer.concat([Buffer.from(fields.join('').replace('; d=x.test\r\n', '\r\n')), signed.header])
  const lines = Buffer.from('a\t\r\n'.repeat(400_000))
  const large = Buffer.concat([Buffer.from(`X-A: ${'a b'.repeat(300_000)}\r\n`), hashes])
  for (const content of [
    facts({ header }),
    facts({ header: large }),
    facts({ body: () => inPieces(spaces) }),
    facts({ header: hashes, body: () => inPieces(lines) }),
  ]) {
    // Nobody gets around DMARC with it.
    const findings = await checkAll(checker, { ...content, clientAddress: '192.0.2.9' })
    const [, , dkim, arc] = findings
    const detail = expect.stringContaining('made to take long')
    expect([dkim, arc]).toMatchObject([
      { result: 'policy', detail },
      { result: 'fail', detail },
    ])
    expect(judge(findings)).toMatchObject({ action: 'reject', reason: 'dmarc-reject' })
  }
  const [, , dkim] = await checkAll(checker, facts({}))
  expect(dkim).toMatchObject({ result: 'pass' })
})

/** RFC 8463 appendix A: the message, the Ed25519 key and the signature over it. */
const football = {
  header: [
    'DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;',
    ' d=football.example.com; i=@football.example.com;',
    ' q=dns/txt; s=brisbane; t=1528637909; h=from : to :',
    ' subject : date : message-id : from : subject : date;',
    ' bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;',
    ' b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus',
    ' Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==',
    'From: Joe SixPack <joe@football.example.com>',
    'To: Suzie Q <suzie@shopping.example.net>',
    'Subject: Is dinner ready?',
    'Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)',
    'Message-ID: <20030712040037.46341.5F8J@football.example.com>',
  ].join('\r\n'),
  body: 'Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n',
  script: {
    'brisbane._domainkey.football.example.com TXT': [
      'v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=',
    ],
  },
}

test('the signature of RFC 8463 appendix A', async () => {
  const content = (header: string) =>
    facts({ header: Buffer.from(header), body: () => inPieces(Buffer.from(football.body)) })
  const checker = open(football.script)
  const [, , dkim] = await checkAll(checker, content(football.header))
  expect(dkim).toMatchObject({ result: 'pass', signatures: [{ domain: 'football.example.com', selector: 'brisbane' }] })
  const partial = football.header.replace('t=1528637909;', 't=1528637909; l=5;')
  const [, , other] = await checkAll(checker, content(partial))
  expect(other).toMatchObject({ result: 'fail' })
})

test('the instance of an ARC chain was told twice', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const seal = {
    signingDomain: 'list.test',
    selector: 's',
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    cv: 'none',
    authResults: 'list.test; spf=pass smtp.mailfrom=one.test; dmarc=pass header.from=one.test',
  }
  const sealed: Buffer = await sealMessage(Buffer.concat([signed.header, Buffer.from('\r\n'), body]), seal)
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const checker = open({ ...script, 's._domainkey.list.test TXT': [`v=DKIM1; k=rsa; p=${key}`] })
  const findings = await checkAll(checker, facts({ header: Buffer.concat([sealed, signed.header]) }))
  const field = authenticationResults('mx.two.test', findings).replaceAll(/\s+/g, ' ')
  expect(field).toContain('arc=pass (i=1 spf=pass dmarc=pass fromdomain=one.test) arc.sealer=list.test;')
})

test('a list that refused our questions was told in journeys alone', async () => {
  const told: string[] = []
  const log = { ...silentLog, error: (...said: unknown[]) => void told.push(String(said[1])) }
  const zones = ['refusing.test', 'silent.test', 'working.test']
  const lists = zones.map((zone) => ({ zone, kind: 'dnsbl' as const }))
  const answers = { '1.2.0.192.refusing.test A': ['127.255.255.254'], '1.2.0.192.silent.test A': 'failed' as const }
  const checker = open({ ...script, ...answers }, { lists, log })
  const line = 'the DNS list refusing.test is of no use: the list refuses our questions (127.255.255.254)'
  await checker.checkConnection('192.0.2.1', never)
  await checker.checkConnection('192.0.2.1', never)
  expect(told).toEqual([line])
  await checker.clock.advance(86_400_000)
  await checker.checkConnection('192.0.2.1', never)
  expect(told).toEqual([line, line])
})

import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Log, silentLog, systemDeadline } from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import fc from 'fast-check'
import { sealMessage } from 'mailauth/lib/arc/index.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyMessage } from '../../test/any-message.ts'
import { askDkimpy, noDkimpy } from '../../test/dkimpy.ts'
import { type Script, scriptedResolver } from '../../test/scripted-resolver.ts'
import { authenticationResults } from '../authentication-results.ts'
import { type Checker, createChecker } from '../checker.ts'
import type { ArcFinding } from '../findings/finding.ts'
import { dkimRecords } from './dkim-records.ts'
import { generateKeys } from './generate-keys.ts'
import type { Sealing } from './sealer.ts'
import { createSigner, type Signer } from './signer.ts'

const never = new AbortController().signal
const clock = virtualClock(Date.UTC(2026, 7, 1))
const errors: string[] = []
const log: Log = { ...silentLog, error: (_, text) => void errors.push(text) }
const rsa = { name: 'r', algorithm: 'rsa' } as const
let directory: string
let signer: Signer
let checker: Checker
let script: Script

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pennypost-sealer-'))
  await generateKeys(directory, 'one.test', [{ name: 'e', algorithm: 'ed25519' }, rsa])
  await generateKeys(directory, 'two.test', [rsa, { name: 's', algorithm: 'rsa' }])
  await generateKeys(directory, 'small.test', [{ name: 'e', algorithm: 'ed25519' }])
  writeFileSync(join(directory, 'broken.test.r.pem'), 'half a key')
  const records = await Promise.all(['one.test', 'two.test'].map((domain) => dkimRecords(directory, domain)))
  script = Object.fromEntries(records.flat().map(({ name, value }) => [`${name} TXT`, [value]]))
  signer = createSigner({ keyDirectory: directory, clock, log })
  checker = open(script)
})
afterAll(async () => {
  await checker[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function open(zone: Script): Checker {
  return createChecker({ resolver: scriptedResolver(zone), clock, deadline: systemDeadline, log, hostname: 'mx.test' })
}

const octets = (text: string) => Buffer.from(text, 'latin1')

async function* pieces(body: string, size = 1 << 16): AsyncIterable<Buffer> {
  for (let from = 0; from < body.length; from += size) yield octets(body.slice(from, from + size))
}

const letter = [
  'From: Carol <carol@three.test>',
  'To: info@one.test,',
  '\tdave@three.test',
  'Subject:  a   folded',
  '  subject\t',
  'Date: Sat, 01 Aug 2026 00:00:00 +0000',
  '',
].join('\r\n')
const body = 'Hello,\r\n\r\n  two  blanks, a\ttab \r\nand a caf\xc3\xa9.\r\n\r\n'

async function check(header: string, content = body, by = checker): Promise<ArcFinding> {
  const sender = by.checkSender({ clientAddress: '192.0.2.1', helo: 'x.test', reversePath: '' }, never)
  const facts = { header: octets(header), body: () => pieces(content), authorDomains: ['three.test'] }
  const [, arc] = await by.checkContent(facts, sender, never)
  if (arc?.check !== 'arc') throw new Error('ARC is not looked at')
  return arc
}

const results = (arc: ArcFinding): string =>
  authenticationResults('mx.test', [
    { check: 'spf', result: 'fail', identity: 'mailfrom', domain: 'three.test', detail: 'not (one) of them' },
    arc,
  ])

async function sealings(header: string, domains: string[], content = body): Promise<Sealing[]> {
  const arc = await check(header, content)
  return signer.seal({ domains, header: octets(header), body: () => pieces(content, 7), arc, results: results(arc) })
}

/** As a hop does it: checks, seals, and sets it before. */
async function sealed(header: string, domain: string, content = body): Promise<string> {
  const [sealing] = await sealings(header, [domain], content)
  if (!sealing || !('fields' in sealing)) throw new Error(JSON.stringify(sealing))
  return sealing.fields + header
}

test('a first set is good, says what was found, and its lines are short', async () => {
  const [sealing] = await sealings(letter, ['one.test'])
  expect(sealing).toMatchObject({ domain: 'one.test', selector: 'r', instance: 1, validation: 'none' })
  const { fields } = sealing as Extract<Sealing, { fields: string }>
  expect(fields.split(/\r\n(?![ \t])/).map((field) => field.split(';')[0])).toEqual([
    'ARC-Seal: i=1',
    'ARC-Message-Signature: i=1',
    'ARC-Authentication-Results: i=1',
    '',
  ])
  expect(fields).toContain(
    'ARC-Authentication-Results: i=1; mx.test;\r\n\tspf=fail (not \\(one\\) of them) smtp.mailfrom=three.test;\r\n\tarc=none\r\n',
  )
  for (const line of fields.split('\r\n')) expect(line.length).toBeLessThanOrEqual(78)
  expect(await check(fields + letter)).toMatchObject({ result: 'pass', instance: 1, sealer: 'one.test' })
})

test('chains of two and three sets are good, and every hop sees the one before', async () => {
  const first = await sealed(letter, 'one.test')
  const second = await sealed(`Received: by mx.two.test\r\n${first}`, 'two.test')
  const third = await sealed(`Received: by mx.one.test\r\n${second}`, 'one.test')
  expect(second).toContain('cv=pass; d=two.test')
  expect(second.replaceAll(/\s+/g, ' ')).toContain('arc=pass (i=1 spf=fail) arc.sealer=one.test')
  expect(await check(second)).toMatchObject({ result: 'pass', instance: 2, sealer: 'two.test' })
  expect(await check(third)).toMatchObject({ result: 'pass', instance: 3, sealer: 'one.test' })
})

test('what is changed behind a seal is seen, and sealed as failed; then no seal follows', async () => {
  const first = await sealed(letter, 'one.test')
  const changed = first.replace('To: info', 'To: eve')
  expect(await check(changed)).toMatchObject({ result: 'fail' })
  expect(await check(first, `${body}more\r\n`)).toMatchObject({ result: 'fail' })
  expect(await check(first.replace('spf=fail', 'spf=pass'))).toMatchObject({ result: 'fail' })
  const second = await sealed(changed, 'two.test')
  expect(second).toContain('cv=fail; d=two.test')
  expect(await check(second)).toMatchObject({ result: 'fail' })
  const third = await sealings(second, ['one.test'])
  expect(third).toEqual([{ domain: 'one.test', reason: 'the newest seal says that the chain has failed' }])
})

test('a signature of the author is covered, so that nobody can take it away', async () => {
  const signature = await signer.sign({ domain: 'two.test', header: octets(letter), body: () => pieces(body) })
  const first = await sealed(signature + letter, 'one.test')
  expect(await check(first)).toMatchObject({ result: 'pass' })
  expect(await check(first.replace(/DKIM-Signature: .*?\r\n(?=\S)/s, ''))).toMatchObject({ result: 'fail' })
})

test('results and trace of later hops do not break a set', async () => {
  const first = await sealed(letter, 'one.test')
  const trace = 'Return-Path: <x@one.test>\r\nReceived: by mx.test\r\nAuthentication-Results: mx.test; none\r\n'
  expect(await check(`${trace}Delivered-To: info@one.test\r\n${first}`)).toMatchObject({ result: 'pass' })
})

test('a chain that somebody else has begun is gone on with', async () => {
  const seal = {
    signingDomain: 'two.test',
    selector: 'r',
    privateKey: await readFile(join(directory, 'two.test.r.pem'), 'utf8'),
    cv: 'none',
    authResults: 'list.test; spf=pass smtp.mailfrom=three.test',
  }
  const theirs: Buffer = await sealMessage(octets(`${letter}\r\n${body}`), seal)
  const second = await sealed(`${theirs.toString('latin1')}${letter}`, 'one.test')
  expect(await check(second)).toMatchObject({ result: 'pass', instance: 2, sealer: 'one.test' })
})

test('each domain seals for itself with its oldest RSA key, and who has none does not; the body is read once', async () => {
  let reads = 0
  const message = {
    domains: ['one.test', 'small.test', 'none.test', 'broken.test', 'two.test'],
    header: octets(letter),
    body: () => pieces(reads++ === 0 ? body : 'read again'),
    arc: { check: 'arc', result: 'none', sealer: '', instance: 0, detail: '' } as const,
    results: 'Authentication-Results: mx.test; none\r\n',
  }
  const made = await signer.seal(message)
  expect(made.map((each) => ('reason' in each ? each.reason : `${each.domain} ${each.selector}`))).toEqual([
    'one.test r',
    'small.test has no RSA key',
    'none.test has no RSA key',
    expect.stringMatching(/broken\.test\.r\.pem cannot be read/),
    'two.test r',
  ])
  for (const each of made) {
    if ('fields' in each)
      expect(await check(each.fields + letter)).toMatchObject({ result: 'pass', sealer: each.domain })
  }
  expect(reads).toBe(1)
  expect(errors).toContain('mail that goes on could not be sealed')
})

test('where nobody seals the body is not read', async () => {
  const untouched = () => {
    throw new Error('read')
  }
  const arc = await check(letter)
  const message = { header: octets(letter), body: untouched, arc, results: results(arc) }
  expect(await signer.seal({ ...message, domains: ['small.test'] })).toMatchObject([{ reason: /no RSA key/ }])
  expect(await signer.seal({ ...message, domains: ['one.test'], header: octets('Subject: x\r\n') })).toMatchObject([
    { reason: 'a message without From cannot be signed' },
  ])
})

test('a stranger could make a seal as long as a header can be, and an alias kept it for each of its next hops', async () => {
  const fields = 'DKIM-Signature:\r\n'.repeat(60_000)
  const arc = await check(letter)
  const message = { domains: ['one.test'], body: () => pieces(body), arc, results: results(arc) }
  expect(await signer.seal({ ...message, header: octets(fields + letter) })).toEqual([
    { domain: 'one.test', reason: 'the message has too many fields that would be signed' },
  ])
  expect(await sealed('DKIM-Signature: x\r\n'.repeat(20) + letter, 'one.test')).toContain('cv=none')
})

test('a body that breaks off is a reason, and no error', async () => {
  async function* broken(): AsyncIterable<Buffer> {
    yield octets('a')
    throw new Error('disk gone')
  }
  const arc = await check(letter)
  const message = { header: octets(letter), body: broken, arc, results: results(arc) }
  expect(await signer.seal({ ...message, domains: ['one.test', 'two.test'] })).toEqual([
    { domain: 'one.test', reason: 'disk gone' },
    { domain: 'two.test', reason: 'disk gone' },
  ])
})

test('a chain was called broken under our seal when DNS did not give its key', async () => {
  const first = await sealed(letter, 'two.test')
  await using failing = open({ ...script, 'r._domainkey.two.test TXT': 'failed' })
  const arc = await check(first, body, failing)
  expect(arc).toMatchObject({ result: 'unavailable', detail: 'DNS has not given every key' })
  const message = { domains: ['one.test'], header: octets(first), body: () => pieces(body), arc, results: results(arc) }
  expect(await signer.seal(message)).toEqual([{ domain: 'one.test', reason: 'the chain could not be checked' }])
  await using gone = open({ ...script, 'r._domainkey.two.test TXT': [] })
  expect(await check(first, body, gone)).toMatchObject({ result: 'fail' })
})

test('any header and body are good under a seal, and under a second one', async () => {
  const words = ['a', ' ', '  ', '\t', '\xe9', 'word', ':', ';', '\r\n ', '\r\n\t', '=', ',']
  const names = ['Subject', 'To', 'List-Id', 'DKIM-Signature', 'sUBJECT', 'Reply-To ', 'References', 'Cc']
  await fc.assert(
    fc.asyncProperty(anyMessage(words, names), async ({ before, after, lines }) => {
      const content = lines.join('')
      const first = await sealed(`${before.join('')}From: carol@three.test\r\n${after.join('')}`, 'one.test', content)
      expect(await check(first, content)).toMatchObject({ result: 'pass', instance: 1 })
      const second = await sealed(first, 'two.test', content)
      expect(await check(second, content)).toMatchObject({ result: 'pass', instance: 2 })
    }),
    { numRuns: 40, seed: 8617 },
  )
})

/** Says of each message what its chain is. */
const chains = `
cv = lambda message: dkim.arc_verify(message.encode('latin-1'), dnsfunc=find)[0]
print(json.dumps([(cv(message) or b'ended').decode() for message in given['messages']]))
`

/** The same by Mail::DKIM, in Perl, which looks at the signatures of older sets too. */
const mailDkim = `
use JSON::PP;
eval { require Mail::DKIM::ARC::Verifier; require Net::DNS; 1 } or exit 3;
my $given = decode_json(join '', <STDIN>);
no warnings 'redefine';
*Mail::DKIM::DNS::query = sub {
  my $text = $given->{records}{$_[0]} or return;
  Net::DNS::RR->new(owner => $_[0], type => 'TXT', txtdata => [$text =~ /.{1,255}/g]);
};
print encode_json([map {
  my $verifier = Mail::DKIM::ARC::Verifier->new;
  $verifier->PRINT(pack 'C*', unpack 'U*', $_);
  $verifier->CLOSE;
  $verifier->result . ' ' . (() = $verifier->result_detail =~ /ams[.][0-9]+[.][a-z.]+=pass/g);
} @{$given->{messages}}]);
`

/** None, one, two, three good sets; a broken one; that one sealed as such. */
async function samples() {
  const first = await sealed(letter, 'one.test')
  const second = await sealed(first, 'two.test')
  const third = await sealed(second, 'one.test')
  const broken = first.replace('To: info', 'To: eve')
  const headers = [letter, first, second, third, broken, await sealed(broken, 'two.test')]
  const records = Object.fromEntries(
    Object.entries(script).map(([name, [text]]) => [name.replace(' TXT', ''), String(text)]),
  )
  return { messages: headers.map((header) => `${header}\r\n${body}`), records }
}

test('dkimpy agrees', async (context) => {
  const run = askDkimpy(chains, await samples())
  if (!run) return context.skip(noDkimpy)
  expect(JSON.parse(run.stdout)).toEqual(['none', 'pass', 'pass', 'pass', 'fail', 'ended'])
})

test('Mail::DKIM agrees', async (context) => {
  const run = spawnSync('perl', ['-e', mailDkim], { input: JSON.stringify(await samples()), encoding: 'utf8' })
  if (run.error || run.status === 3) return context.skip('no Perl with Mail::DKIM (Debian: libmail-dkim-perl)')
  expect(run.stderr).toBe('')
  expect(JSON.parse(run.stdout)).toEqual(['none 0', 'pass 1', 'pass 2', 'pass 3', 'fail 0', 'fail 1'])
})

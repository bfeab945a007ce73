/**
 * The public suites: SPF (RFC 7208), ARC, addresses (isemail). Cases whose outcome differs from the suite's are named
 * and argued here. That of SPF comes with Debian's python3-spf, that of addresses with the npm package isemail; that of ARC
 * (github.com/ValiMail/arc_test_suite, `arc-draft-validation-tests.yml`) is looked for in the directory that the environment
 * variable PENNYPOST_VECTORS names.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  type ArcFinding,
  type Checker,
  createChecker,
  createSigner,
  dkimRecords,
  generateKeys,
} from '@pennypost/message-auth'
import {
  type DnsAnswer,
  type DnsRecords,
  type DnsType,
  type Resolver,
  silentLog,
  systemDeadline,
} from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { parseRcptArgument } from '@pennypost/smtp'
import addressCases from 'isemail/test/tests.json' with { type: 'json' }
import { expect, onTestFinished, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

const never = new AbortController().signal

/** The documents of a suite, each scalar a string; undefined where the suite is not. */
function read<T>(name: string, debian?: string): T[] | undefined {
  const places = [join(process.env.PENNYPOST_VECTORS ?? '/nowhere', name), ...(debian === undefined ? [] : [debian])]
  const place = places.find(existsSync)
  if (place === undefined) return undefined
  const octets = readFileSync(place)
  const text = (place.endsWith('.gz') ? gunzipSync(octets) : octets).toString()
  return [parseAllDocuments(text, { schema: 'failsafe' })].flat().map((document) => document.toJS() as T)
}

const open = (resolver: Resolver) =>
  createChecker({ resolver, clock: virtualClock(), deadline: systemDeadline, log: silentLog, hostname: 'mx.test' })

interface SpfScenario {
  tests: Record<string, { helo: string; host: string; mailfrom: string; result: string | string[] }>
  zonedata: Record<string, (string | Record<string, string | string[]>)[]>
}

/** A suite's zone: `TIMEOUT` fails what is not answered before it, records of the old type SPF stand for TXT. */
function suiteResolver(zonedata: SpfScenario['zonedata']): Resolver {
  const zones = new Map(Object.entries(zonedata).map(([name, rows]) => [name.toLowerCase().replace(/\.$/, ''), rows]))
  const answer = (asked: string, type: string, aliases = 0): DnsAnswer<DnsType> => {
    const rest = { ttlSeconds: 60, authentic: false }
    const name = asked.toLowerCase().replace(/\.$/, '')
    const rows = zones.get(name)
    if (!rows) return { status: 'nxdomain', ...rest }
    const of = (wanted: string) =>
      rows.flatMap((row) => (typeof row !== 'string' && wanted in row ? [row[wanted]!] : []))
    const [alias] = of('CNAME')
    if (aliases > 8) return { status: 'failed', reason: 'CNAME loop' }
    if (typeof alias === 'string') return answer(alias, type, aliases + 1)
    const own = of(type)
    const found = (own.length === 0 && type === 'TXT' ? of('SPF') : own).filter((value) => value !== 'NONE')
    if (found.length === 0) {
      return rows.includes('TIMEOUT') ? { status: 'failed', reason: 'timeout' } : { status: 'nodata', ...rest }
    }
    return { status: 'found', records: found.map((value) => readValue(type, value)) as DnsRecords[DnsType][], ...rest }
  }
  return {
    query: <T extends DnsType>(name: string, type: T) => Promise.resolve(answer(name, type) as DnsAnswer<T>),
  }
}

function readValue(type: string, value: string | string[]): unknown {
  if (type === 'MX') return { preference: Number(value[0]), exchange: value[1]?.replace(/\.$/, '') }
  const text = [value].flat().join('')
  return type === 'TXT' ? text : text.replace(/\.$/, '')
}

test('the SPF suite of RFC 7208', async (context) => {
  const scenarios = read<SpfScenario>('rfc7208-tests.yml', '/usr/share/doc/python3-spf/rfc7208-tests.yml.gz')
  if (!scenarios) return context.skip('needs python3-spf, or rfc7208-tests.yml in PENNYPOST_VECTORS')
  const differing: string[] = []
  let count = 0
  for (const { tests, zonedata } of scenarios) {
    await using checker = open(suiteResolver(zonedata))
    for (const [name, { helo, host, mailfrom, result }] of Object.entries(tests)) {
      const facts = { clientAddress: host, helo, reversePath: mailfrom }
      const found = await checker.checkSender(facts, never)
      count++
      if (![result].flat().includes(found.result))
        differing.push(`${name}: ${found.result}, not ${result} (${found.detail})`)
    }
  }
  expect(differing).toEqual([])
  expect(count).toBeGreaterThanOrEqual(200)
})

/**
 * The first has no c= and was made when drafts took relaxed/relaxed for granted; RFC 8617 §4.1.2 takes the rule of DKIM,
 * which is simple/simple. The second signs no field at all and expects `pass`; RFC 6376 §5.4 wants From to be signed, and a
 * seal over nothing says nothing.
 */
const arcExceptions = ['ams_fields_c_na', 'ams_fields_h_empty']

interface ArcScenario {
  tests: Record<string, { message: string; cv: string }>
  'txt-records': Record<string, string>
}

/** A message of that suite, as the checks and the sealer take it. */
function split(message: string): { header: Buffer; body(): AsyncIterable<Buffer> } {
  const octets = Buffer.from(message.replaceAll('\n', '\r\n'))
  const end = octets.indexOf('\r\n\r\n')
  return {
    header: octets.subarray(0, end === -1 ? octets.length : end + 2),
    async *body() {
      if (end !== -1) yield octets.subarray(end + 4)
    },
  }
}

async function arcOf(checker: Checker, { header, body }: ReturnType<typeof split>): Promise<ArcFinding> {
  const spf = checker.checkSender({ clientAddress: '192.0.2.1', helo: 'x', reversePath: '' }, never)
  const [, arc] = await checker.checkContent({ header, body, authorDomains: [] }, spf, never)
  return arc as ArcFinding
}

const zoneOf = (records: Record<string, string>): SpfScenario['zonedata'] =>
  Object.fromEntries(Object.entries(records).map(([name, TXT]) => [name, [{ TXT }]]))

test('the ARC validation suite', async (context) => {
  const scenarios = read<ArcScenario>('arc-draft-validation-tests.yml')
  if (!scenarios) return context.skip('needs arc-draft-validation-tests.yml in PENNYPOST_VECTORS')
  const differing: string[] = []
  let count = 0
  for (const { tests, 'txt-records': records } of scenarios) {
    await using checker = open(suiteResolver(zoneOf(records)))
    for (const [name, { message, cv }] of Object.entries(tests)) {
      const arc = await arcOf(checker, split(message))
      count++
      const expected = cv === '' ? 'fail' : cv.toLowerCase()
      if (arc.result !== expected) differing.push(name)
    }
  }
  expect(differing).toEqual(arcExceptions)
  expect(count).toBe(171)
})

test('a seal of ours over the messages of the ARC suite goes on with good chains, and says of broken ones that they are', async (context) => {
  const scenarios = read<ArcScenario>('arc-draft-validation-tests.yml')
  if (!scenarios) return context.skip('needs arc-draft-validation-tests.yml in PENNYPOST_VECTORS')
  const keyDirectory = mkdtempSync(join(tmpdir(), 'pennypost-vectors-'))
  onTestFinished(() => rmSync(keyDirectory, { recursive: true }))
  await generateKeys(keyDirectory, 'sealer.test', [{ name: 's', algorithm: 'rsa' }])
  const own = Object.fromEntries(
    (await dkimRecords(keyDirectory, 'sealer.test')).map(({ name, value }) => [name, value]),
  )
  const signer = createSigner({ keyDirectory, clock: virtualClock(), log: silentLog })
  const results = 'Authentication-Results: mx.sealer.test; none\r\n'
  const outcomes: Record<string, number> = {}
  for (const { tests, 'txt-records': records } of scenarios) {
    await using checker = open(suiteResolver(zoneOf({ ...records, ...own })))
    for (const { message } of Object.values(tests)) {
      const before = split(message)
      const arc = await arcOf(checker, before)
      const [sealing] = await signer.seal({ ...before, domains: ['sealer.test'], results, arc })
      const fields = sealing && 'fields' in sealing ? sealing.fields : ''
      const after = await arcOf(checker, { ...before, header: Buffer.concat([Buffer.from(fields), before.header]) })
      const outcome = `${arc.result}, ${fields === '' ? 'not sealed' : 'sealed'}: ${after.result}`
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
    }
  }
  expect(outcomes).toEqual({
    'none, sealed: pass': 3,
    'pass, sealed: pass': 52,
    'fail, sealed: fail': 95,
    // No instance, or a newest seal that says cv=fail.
    'fail, not sealed: fail': 19,
    // No From.
    'none, not sealed: none': 2,
  })
})

/** Addresses that are taken though the suite calls them wrong, by the word that it has for them. */
const addressExceptions = {
  // Management controllers and some Japanese providers have such; they are read as the quoted strings they should have been.
  errDotStart: 1,
  errDotEnd: 1,
  // RFC 5321 §4.5.3.1.1 asks for 64 octets at least; VERP and SRS need more.
  rfc5322LocalTooLong: 3,
  // RFC 5321 §4.1.3 has it as a General-address-literal with a tag of digits.
  rfc5322DomainLiteral: 1,
  // `::` for a single group: RFC 5321 §4.1.3 wants two at least, RFC 5952 §4.2.2 has it read all the same.
  deprecatedIPv6: 1,
}

test('the addresses of isemail, as RCPT names them', () => {
  const taken: Record<string, number> = {}
  const refused: string[] = []
  for (const [address = '', finding = ''] of addressCases as string[][]) {
    // Right by RFC 5321; more is right by RFC 5322, as a field of a message.
    const isRight = /^(valid|dnsWarn|rfc\d+1)/.test(finding)
    const { ok } = parseRcptArgument(`TO:<${address}>`, true)
    if (ok && !isRight) taken[finding] = (taken[finding] ?? 0) + 1
    if (!ok && isRight) refused.push(address)
  }
  expect(refused).toEqual([])
  expect(taken).toEqual(addressExceptions)
  expect(addressCases).toHaveLength(185)
})

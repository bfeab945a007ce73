/**
 * The public suites for SPF (RFC 7208) and ARC, which are not part of this repository: the README says where they come
 * from and how they are laid out. Cases whose outcome differs from the suite's are named here, and argued there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DnsAnswer,
  type DnsRecords,
  type DnsType,
  type Resolver,
  silentLog,
  systemDeadline,
} from '@pennypost/model'
import { virtualClock } from '@pennypost/model/testing'
import { expect, test } from 'vitest'
import { createChecker } from '../src/index.ts'
import { scriptedResolver } from './scripted-resolver.ts'
import { inPieces } from './signed-message.ts'

const never = new AbortController().signal
const directory = process.env.PENNYPOST_VECTORS ?? ''

function read<T>(name: string): T | undefined {
  const path = join(directory, name)
  return directory !== '' && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as T) : undefined
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
  const scenarios = read<SpfScenario[]>('rfc7208-tests.json')
  if (!scenarios) return context.skip('PENNYPOST_VECTORS names no directory with rfc7208-tests.json')
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
  expect(count).toBe(200)
})

/** The README argues each. */
const arcExceptions = ['ams_fields_c_na', 'ams_fields_h_empty']

interface ArcScenario {
  tests: Record<string, { message: string; cv: string }>
  'txt-records': Record<string, string>
}

test('the ARC validation suite', async (context) => {
  const scenarios = read<ArcScenario[]>('arc-draft-validation-tests.json')
  if (!scenarios) return context.skip('PENNYPOST_VECTORS names no directory with arc-draft-validation-tests.json')
  const differing: string[] = []
  let count = 0
  for (const { tests, 'txt-records': records } of scenarios) {
    const script = Object.fromEntries(
      Object.entries(records).map(([name, text]) => [`${name.toLowerCase()} TXT`, [text]]),
    )
    await using checker = open(scriptedResolver(script))
    const spf = checker.checkSender({ clientAddress: '192.0.2.1', helo: 'x', reversePath: '' }, never)
    for (const [name, { message, cv }] of Object.entries(tests)) {
      const octets = Buffer.from(message.replaceAll('\n', '\r\n'))
      const end = octets.indexOf('\r\n\r\n')
      const header = octets.subarray(0, end === -1 ? octets.length : end + 2)
      const body = () => inPieces(end === -1 ? Buffer.alloc(0) : octets.subarray(end + 4))
      const [, arc] = await checker.checkContent({ header, body, authorDomains: [] }, spf, never)
      count++
      const expected = cv === '' ? 'fail' : cv.toLowerCase()
      if (arc?.result !== expected) differing.push(name)
    }
  }
  expect(differing).toEqual(arcExceptions)
  expect(count).toBe(171)
})

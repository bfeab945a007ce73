/**
 * Reports that others send about our domains, as values: DMARC aggregate reports (RFC 9990) and TLS reports (RFC 8460).
 * Pure and tolerant: what a report lacks is empty, what is no report is undefined.
 */
export interface Report {
  kind: 'dmarc' | 'tls'
  organization: string
  id: string
  /** Ours that it is about. */
  domain: string
  /** Milliseconds; 0 when the report does not say. */
  beginsAt: number
  endsAt: number
  /** Messages or sessions. */
  passed: number
  failed: number
  /** The worst first. */
  failures: readonly ReportedFailure[]
}

export interface ReportedFailure {
  /** A source of mail (DMARC), or an MX host (TLS). */
  what: string
  count: number
  why: string
}

const failuresMax = 20
const recordsMax = 20_000
/** Of a TLS report: small ones in great number would take long to read. */
const jsonValuesMax = 100_000
/** Of one element that is looked into. */
const elementMax = 10_000
/** Characters of one text; a domain has no more. */
const textMax = 255

/** The report in this document. */
export function readReport(document: Buffer): Report | undefined {
  // A slice of a text keeps all of it in memory, and of reports there are thousands.
  return structuredClone(reportIn(document.toString().trim()))
}

function reportIn(text: string): Report | undefined {
  if (text.startsWith('{')) return readTlsReport(text)
  return /<feedback[\s>]/.test(text.slice(0, 2000)) ? readDmarcReport(text) : undefined
}

/** RFC 8460 §4.4. */
function readTlsReport(text: string): Report | undefined {
  if (countOf(text, /[,[{]/g) > jsonValuesMax) return undefined
  let json: Json
  try {
    json = JSON.parse(text) as Json
  } catch {
    return undefined
  }
  const policies = listAt(json, 'policies')
  if (policies.length === 0) return undefined
  const failures = policies.flatMap((policy) =>
    listAt(policy, 'failure-details').map((each): ReportedFailure => {
      const host = textAt(each, 'receiving-mx-hostname') || textAt(each, 'receiving-ip')
      const reason = textAt(each, 'failure-reason-code')
      const why = `${textAt(each, 'result-type')}${reason === '' ? '' : `: ${reason}`}`
      return { what: host, count: numberAt(each, 'failed-session-count'), why }
    }),
  )
  const sum = (key: string): number =>
    policies.reduce<number>((total, each) => total + numberAt(at(each, 'summary'), key), 0)
  const range = at(json, 'date-range')
  return {
    kind: 'tls',
    organization: textAt(json, 'organization-name'),
    id: textAt(json, 'report-id'),
    domain: textAt(at(policies[0], 'policy'), 'policy-domain'),
    beginsAt: Date.parse(textAt(range, 'start-datetime')) || 0,
    endsAt: Date.parse(textAt(range, 'end-datetime')) || 0,
    passed: sum('total-successful-session-count'),
    failed: sum('total-failure-session-count'),
    failures: worstFirst(failures),
  }
}

/** Up to one more than the limit. */
function countOf(text: string, part: RegExp): number {
  let count = 0
  while (count <= jsonValuesMax && part.test(text)) count++
  return count
}

type Json = unknown

const at = (value: Json, key: string): Json =>
  typeof value === 'object' && value !== null ? (value as Record<string, Json>)[key] : undefined
const textAt = (value: Json, key: string): string => {
  const found = at(value, key)
  return typeof found === 'string' ? found.slice(0, textMax) : ''
}
const numberAt = (value: Json, key: string): number => {
  const found = at(value, key)
  return typeof found === 'number' ? counted(found) : 0
}
/** What is no number of anything is 0. */
const counted = (value: number): number => (Number.isSafeInteger(value) && value >= 0 ? value : 0)
/** Milliseconds, where the report names a time that a date can have. */
const timeAt = (seconds: string): number => new Date(Number(seconds) * 1000).getTime() || 0
const listAt = (value: Json, key: string): readonly Json[] => {
  const found = at(value, key)
  return Array.isArray(found) ? found : []
}

/** The elements of RFC 9990 appendix A that tell who failed; the schema has no attributes and nests nothing by one name. */
function readDmarcReport(text: string): Report | undefined {
  const metadata = element(text, 'report_metadata')
  const range = element(metadata, 'date_range')
  const rows = recordsOf(text).map((record) => {
    const evaluated = element(record, 'policy_evaluated')
    const passed = [element(evaluated, 'dkim'), element(evaluated, 'spf')].includes('pass')
    const count = counted(Number(element(record, 'count')))
    const why = `DKIM ${element(evaluated, 'dkim') || '?'}, SPF ${element(evaluated, 'spf') || '?'}, ${element(evaluated, 'disposition') || 'none'}`
    return { passed, what: element(record, 'source_ip'), count, why: `${why}, from ${element(record, 'header_from')}` }
  })
  const domain = textOf(element(text, 'policy_published'), 'domain')
  if (domain === '') return undefined
  const total = (passed: boolean): number =>
    rows.filter((row) => row.passed === passed).reduce((sum, { count }) => sum + count, 0)
  return {
    kind: 'dmarc',
    domain,
    organization: textOf(metadata, 'org_name'),
    id: textOf(metadata, 'report_id'),
    beginsAt: timeAt(element(range, 'begin')),
    endsAt: timeAt(element(range, 'end')),
    passed: total(true),
    failed: total(false),
    failures: worstFirst(rows.filter((row) => !row.passed).map(({ what, count, why }) => ({ what, count, why }))),
  }
}

/** One look at each octet, whatever stands in it: a stranger wrote it. */
function recordsOf(text: string): string[] {
  const records: string[] = []
  for (let end = 0; records.length < recordsMax; ) {
    const start = text.indexOf('<record>', end)
    end = start < 0 ? -1 : text.indexOf('</record>', start)
    if (end < 0) break
    records.push(text.slice(start, end))
  }
  return records
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The text of the first element of that name. */
function element(text: string, name: string): string {
  const start = text.indexOf(`<${name}>`)
  const end = start < 0 ? -1 : text.indexOf(`</${name}>`, start)
  if (end < 0) return ''
  const inside = text.slice(start + name.length + 2, end).slice(0, elementMax)
  return inside.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => entities[entity] as string).trim()
}

const textOf = (text: string, name: string): string => element(text, name).slice(0, textMax)

function worstFirst(failures: readonly ReportedFailure[]): ReportedFailure[] {
  const worst = failures.toSorted((a, b) => b.count - a.count).slice(0, failuresMax)
  return worst.map(({ what, count, why }) => ({ what: what.slice(0, textMax), count, why: why.slice(0, textMax) }))
}

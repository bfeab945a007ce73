import type { DnsListFinding, FilterFinding, Finding } from './findings/finding.ts'
import type { Action, Policy, Reason } from './judge.ts'

/**
 * The rows of the judge: for each reason when it applies and what it leads to. Pure, so that stored findings can be
 * judged again.
 */

/** What a row that applies leads to; one whose action is `accept` decides nothing. */
export interface Outcome {
  action: Action
  /** For the journey. */
  detail: string
  /** What the client is told; `detail` unless given. */
  text?: string
}

export interface Row {
  reason: Reason
  /** Enhanced code of a rejection (RFC 7372 §3), and of a deferral with its class changed. */
  enhanced: string
  /** Reply code of a deferral, where it is not 451. */
  deferCode?: number
  /** Undefined when it does not apply. */
  applies(findings: Findings, policy: Policy): Outcome | undefined
}

type Of<C extends Finding['check'], F extends Finding = Finding> = F extends Finding
  ? C extends F['check']
    ? F
    : never
  : never

/** Findings by check. */
export class Findings {
  readonly #all: readonly Finding[]

  constructor(all: readonly Finding[]) {
    this.#all = all
  }

  all<C extends Finding['check']>(check: C): Of<C>[] {
    return this.#all.filter((finding) => finding.check === check) as Of<C>[]
  }

  one<C extends Finding['check']>(check: C): Of<C> | undefined {
    return this.all(check)[0]
  }
}

const isListed = ({ result }: DnsListFinding): boolean => result === 'listed'

/** Who brings it: known before any content comes. */
const aboutTheClient: readonly Row[] = [
  {
    reason: 'dnsbl',
    enhanced: '5.7.1',
    applies(findings, { dnsbl }) {
      const blocking = findings.all('dnsbl').find(isListed)
      if (!blocking || findings.all('dnswl').some(isListed)) return undefined
      return { action: dnsbl, detail: blocking.detail, text: `${blocking.address} is listed by ${blocking.zone}` }
    },
  },
  {
    reason: 'reverse-dns',
    enhanced: '5.7.25',
    applies(findings, { reverseDns }) {
      const finding = findings.one('reverse-dns')
      if (finding?.result !== 'fail' && finding?.result !== 'permerror') return undefined
      return { action: reverseDns, detail: finding.detail, text: `no name leads back to ${finding.address}` }
    },
  },
  {
    reason: 'helo',
    enhanced: '5.7.1',
    applies(findings, { helo }) {
      const finding = findings.one('helo')
      if (finding?.result !== 'fail') return undefined
      return { action: helo, detail: finding.detail, text: `you are not ${finding.helo}` }
    },
  },
  {
    reason: 'rate',
    enhanced: '5.7.1',
    deferCode: 450,
    applies(findings) {
      const over = findings.all('rate').find(({ result }) => result === 'exceeded')
      if (!over) return undefined
      const text = `too much mail of this ${over.of}, try again in ${seconds(over)}`
      return { action: 'defer', detail: over.detail, text }
    },
  },
  {
    reason: 'greylist',
    enhanced: '5.7.1',
    applies(findings) {
      const waiting = findings.all('greylist').find(({ result }) => result === 'wait')
      if (!waiting) return undefined
      const text = `greylisted, try again in ${seconds(waiting)}`
      return { action: 'defer', detail: waiting.detail, text }
    },
  },
]

const seconds = ({ retryAfterSeconds: count }: { retryAfterSeconds: number }): string =>
  count === 1 ? '1 second' : `${count} seconds`

const aboutTheAuthor: readonly Row[] = [
  {
    reason: 'author',
    enhanced: '5.7.1',
    applies(findings, { author }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'permerror') return undefined
      return { action: author, detail: finding.detail, text: 'the From field names no single author domain' }
    },
  },
  {
    reason: 'dmarc-reject',
    enhanced: '5.7.26',
    applies(findings, { dmarc }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'fail' || finding.policy !== 'reject') return undefined
      const text = `neither SPF nor DKIM speaks for ${finding.authorDomain}, whose DMARC policy is to reject`
      return { action: dmarc === 'enforce' ? 'reject' : dmarc, detail: finding.detail, text }
    },
  },
  {
    reason: 'dmarc-quarantine',
    enhanced: '5.7.26',
    applies(findings, { dmarc }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'fail' || finding.policy !== 'quarantine') return undefined
      return { action: dmarc === 'accept' ? 'accept' : 'quarantine', detail: finding.detail }
    },
  },
  {
    reason: 'dmarc-unsettled',
    enhanced: '5.7.26',
    applies(findings, { dmarcUnsettled }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'temperror' && finding?.result !== 'unavailable') return undefined
      return { action: dmarcUnsettled, detail: finding.detail, text: 'who sent this cannot be found out at the moment' }
    },
  },
  {
    reason: 'spf',
    enhanced: '5.7.23',
    applies(findings, { spf }) {
      const finding = findings.one('spf')
      if (finding?.result !== 'fail' || findings.one('dmarc')?.result === 'pass') return undefined
      return { action: spf, detail: finding.detail }
    },
  },
]

const virus: Row = {
  reason: 'virus',
  enhanced: '5.7.1',
  applies(findings, policy) {
    const found = findings.all('virus').find(({ result }) => result === 'infected')
    return found && { action: policy.virus, detail: found.detail, text: `the message has ${found.signature}` }
  },
}

const aboutTheContent: readonly Row[] = [
  {
    reason: 'spam',
    enhanced: '5.7.1',
    applies(findings, { spam }) {
      const found = strictestOf(findings.all('spam'))
      if (!found || spam === 'accept') return undefined
      const action = spam === 'quarantine' && found.result === 'reject' ? 'quarantine' : found.result
      return { action, detail: found.detail, text: found.text || 'the message is taken for spam' }
    },
  },
  {
    reason: 'hook',
    enhanced: '5.7.1',
    applies(findings) {
      const found = strictestOf(findings.all('hook'))
      return found && { action: found.result, detail: found.detail, text: found.text || 'refused by local policy' }
    },
  },
  {
    reason: 'filter-unavailable',
    enhanced: '5.3.0',
    applies(findings, { filterUnavailable }) {
      const checks = ['virus', 'spam', 'hook'] as const
      const missing = checks.flatMap((check) => findings.all(check)).find(({ result }) => result === 'unavailable')
      return missing && { action: filterUnavailable, detail: missing.detail, text: 'content cannot be looked at now' }
    },
  },
]

/** Of equally strict rows the upper one decides. */
export const table: readonly Row[] = [...aboutTheClient, virus, ...aboutTheAuthor, ...aboutTheContent]

/** Actions, from the mildest. */
export const strictness: readonly string[] = ['accept', 'quarantine', 'defer', 'reject']

type Strict = FilterFinding & { result: Exclude<Action, 'accept'> }

/** The first of the strictest; undefined when all accept, or could not look. */
function strictestOf(findings: readonly FilterFinding[]): Strict | undefined {
  const [strictest] = findings
    .filter((finding): finding is Strict => strictness.indexOf(finding.result) > 0)
    .sort((a, b) => strictness.indexOf(b.result) - strictness.indexOf(a.result))
  return strictest
}

import type { DnsListFinding, Finding } from './findings/finding.ts'

/**
 * The judge: findings and policy in, one verdict out. It is a table, read from the top; the first row that applies
 * decides. It asks nobody and remembers nothing, so that a stored set of findings can be judged again, with one fact
 * changed or under another policy.
 *
 * What it must never break: SPF alone rejects nobody, and neither does anything temporary or `unavailable`.
 *
 * Who calls it: reception, after the checks; `pennypost explain`.
 */

/** Why, out of a closed list: for the journey, the header and the statistics. */
export type Reason =
  /** A blocking list has the client's address, and no allowing list has. */
  | 'dnsbl'
  /** The client's address has no name that leads back to it. */
  | 'reverse-dns'
  /** No author domain, or several: nobody could be asked for a policy (RFC 9989 §11.5). */
  | 'author'
  /** DMARC failed, and this is what the author domain asks for. */
  | 'dmarc-reject'
  | 'dmarc-quarantine'
  /** DMARC could not be settled, and the policy is to wait. */
  | 'dmarc-unsettled'
  /** SPF failed where no DMARC pass makes up for it. */
  | 'spf'
  /** Nothing spoke against it. */
  | 'clean'

export type Action = 'accept' | 'quarantine' | 'defer' | 'reject'

export interface Policy {
  /** What being on a blocking list leads to. */
  dnsbl: 'accept' | 'quarantine' | 'reject'
  /** What the lack of a confirmed name leads to. */
  reverseDns: 'accept' | 'quarantine' | 'reject'
  /** `enforce`: as the author domain asks; `quarantine`: its reject only quarantines; `accept`: recorded only. */
  dmarc: 'accept' | 'quarantine' | 'enforce'
  /** When DNS leaves DMARC open for a domain. */
  dmarcUnsettled: 'accept' | 'defer'
  /** What a message without one author domain leads to. */
  author: 'accept' | 'quarantine' | 'reject'
  /** SPF never rejects (RFC 7208 §8.4 leaves it to us; forwarding breaks it). */
  spf: 'accept' | 'quarantine'
}

export const defaultPolicy: Policy = {
  dnsbl: 'reject',
  reverseDns: 'accept',
  dmarc: 'enforce',
  dmarcUnsettled: 'accept',
  author: 'quarantine',
  spf: 'accept',
}

export interface Verdict {
  action: Action
  reason: Reason
  /** For the journey: the finding's own words. */
  detail: string
  /** With `defer` and `reject`: what the client is told. */
  reply?: { code: number; enhancedCode: string; text: string }
}

type Applies = { action: Action; detail: string; text?: string } | undefined

interface Row {
  reason: Reason
  /** Enhanced code of a rejection (RFC 7372 §3), and of a deferral with its class changed. */
  enhancedCode: string
  applies(findings: Findings, policy: Policy): Applies
}

/** Findings by check. */
class Findings {
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

type Of<C extends Finding['check'], F extends Finding = Finding> = F extends Finding
  ? C extends F['check']
    ? F
    : never
  : never

const isListed = ({ result }: DnsListFinding): boolean => result === 'listed'

const table: readonly Row[] = [
  {
    reason: 'dnsbl',
    enhancedCode: '5.7.1',
    applies(findings, { dnsbl }) {
      const blocking = findings.all('dnsbl').find(isListed)
      if (!blocking || findings.all('dnswl').some(isListed)) return undefined
      return { action: dnsbl, detail: blocking.detail, text: `${blocking.address} is listed by ${blocking.zone}` }
    },
  },
  {
    reason: 'reverse-dns',
    enhancedCode: '5.7.25',
    applies(findings, { reverseDns }) {
      const finding = findings.one('reverse-dns')
      if (finding?.result !== 'fail' && finding?.result !== 'permerror') return undefined
      return { action: reverseDns, detail: finding.detail, text: `no name leads back to ${finding.address}` }
    },
  },
  {
    reason: 'author',
    enhancedCode: '5.7.1',
    applies(findings, { author }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'permerror') return undefined
      return { action: author, detail: finding.detail, text: 'the From field names no single author domain' }
    },
  },
  {
    reason: 'dmarc-reject',
    enhancedCode: '5.7.26',
    applies(findings, { dmarc }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'fail' || finding.policy !== 'reject') return undefined
      const text = `neither SPF nor DKIM speaks for ${finding.authorDomain}, whose DMARC policy is to reject`
      return { action: dmarc === 'enforce' ? 'reject' : dmarc, detail: finding.detail, text }
    },
  },
  {
    reason: 'dmarc-quarantine',
    enhancedCode: '5.7.26',
    applies(findings, { dmarc }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'fail' || finding.policy !== 'quarantine') return undefined
      return { action: dmarc === 'accept' ? 'accept' : 'quarantine', detail: finding.detail }
    },
  },
  {
    reason: 'dmarc-unsettled',
    enhancedCode: '5.7.26',
    applies(findings, { dmarcUnsettled }) {
      const finding = findings.one('dmarc')
      if (finding?.result !== 'temperror' && finding?.result !== 'unavailable') return undefined
      return { action: dmarcUnsettled, detail: finding.detail, text: 'who sent this cannot be found out at the moment' }
    },
  },
  {
    reason: 'spf',
    enhancedCode: '5.7.23',
    applies(findings, { spf }) {
      const finding = findings.one('spf')
      if (finding?.result !== 'fail' || findings.one('dmarc')?.result === 'pass') return undefined
      return { action: spf, detail: finding.detail }
    },
  },
]

/** Rows whose action is `accept` decide nothing: the next is looked at. */
export function judge(findings: readonly Finding[], policy: Policy = defaultPolicy): Verdict {
  const byCheck = new Findings(findings)
  for (const { reason, enhancedCode, applies } of table) {
    const found = applies(byCheck, policy)
    if (!found || found.action === 'accept') continue
    const { action, detail, text = detail } = found
    if (action === 'quarantine') return { action, reason, detail }
    const reply =
      action === 'reject'
        ? { code: 550, enhancedCode, text }
        : { code: 451, enhancedCode: enhancedCode.replace(/^5/, '4'), text }
    return { action, reason, detail, reply }
  }
  return { action: 'accept', reason: 'clean', detail: 'nothing speaks against it' }
}

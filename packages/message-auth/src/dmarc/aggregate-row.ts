/**
 * What an aggregate report tells of one message (RFC 9990 §3.1.1): who brought it, which identifiers it had, what they
 * proved, and what followed from DMARC alone. Nothing that leads to a person, and nothing about other filters (§7.2,
 * §8.3). Pure.
 * Who calls it: reception, when a transaction is over; the relay counts equal rows and reports them.
 */
import type { DkimFinding, DkimResult, DmarcFinding, Finding, SpfFinding } from '../findings/finding.ts'
import { judge, type Policy } from '../judge.ts'

export interface AggregateRow {
  /** Where the policy was found: whose report it is. */
  domain: string
  sourceAddress: string
  /** `pass`: nothing was to be done; `none`: nothing was done. */
  disposition: 'pass' | 'none' | 'quarantine' | 'reject'
  /** By our policy less was done than the domain asks for. */
  isOverridden: boolean
  /** Whether an aligned identifier passed. */
  dkim: 'pass' | 'fail'
  spf: 'pass' | 'fail'
  headerFrom: string
  /** '' for the null reverse-path. */
  envelopeFrom: string
  /** Those that tell most come first. */
  signatures: readonly { domain: string; selector: string; result: Exclude<DkimResult, 'none'> }[]
  /** Absent where there was no name to ask for. */
  sender?: { domain: string; result: Exclude<SpfFinding['result'], 'unavailable'> }
}

/** Undefined where no policy was found, or no DMARC was looked at. */
export function aggregateRow(
  findings: readonly Finding[],
  policy: Policy,
  sourceAddress: string,
): AggregateRow | undefined {
  const dmarc = findings.find((finding) => finding.check === 'dmarc')
  const dkim = findings.find((finding) => finding.check === 'dkim')
  const spf = findings.find((finding) => finding.check === 'spf')
  if (!dmarc || !dkim || !spf || dmarc.policyDomain === '') return undefined
  const { policyDomain: domain, alignment, authorDomain: headerFrom } = dmarc
  const disposition = dispositionOf(dmarc, policy)
  return {
    domain,
    sourceAddress,
    disposition,
    isOverridden: dmarc.result !== 'pass' && disposition !== dmarc.policy,
    dkim: dkim.signatures.some(({ result }, i) => result === 'pass' && alignment.dkim[i] === 'yes') ? 'pass' : 'fail',
    spf: spf.result === 'pass' && alignment.spf === 'yes' ? 'pass' : 'fail',
    headerFrom,
    envelopeFrom: spf.identity === 'mailfrom' ? spf.domain : '',
    signatures: signaturesOf(dkim, dmarc),
    ...(spf.domain === ''
      ? {}
      : { sender: { domain: spf.domain, result: spf.result === 'unavailable' ? 'temperror' : spf.result } }),
  }
}

/** What the judge makes of DMARC where nothing else speaks. */
function dispositionOf(dmarc: DmarcFinding, policy: Policy): AggregateRow['disposition'] {
  if (dmarc.result === 'pass') return dmarc.policy === 'none' ? 'none' : 'pass'
  const { action } = judge([dmarc], policy)
  return action === 'reject' || action === 'quarantine' ? action : 'none'
}

/** §3.1.3: passed and of the same name, passed and aligned, passed, the rest. */
function signaturesOf(
  { signatures }: DkimFinding,
  { authorDomain, alignment }: DmarcFinding,
): AggregateRow['signatures'] {
  const weight = ({ domain, result }: DkimFinding['signatures'][number], i: number): number => {
    if (result !== 'pass') return 3
    if (domain === authorDomain) return 0
    return alignment.dkim[i] === 'yes' ? 1 : 2
  }
  return signatures
    .map((signature, i) => ({ signature, weight: weight(signature, i) }))
    .sort((one, other) => one.weight - other.weight)
    .map(({ signature: { domain, selector, result } }) => ({ domain, selector, result }))
}

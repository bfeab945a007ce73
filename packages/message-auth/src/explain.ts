import { dmarcResult } from './dmarc/check-dmarc.ts'
import type { DkimFinding, DmarcFinding, Finding, SpfFinding } from './findings/finding.ts'

/**
 * Findings with one fact changed, for the question "what if": pure, so that a stored journey can be judged again. What
 * follows from a fact follows here too: DMARC is settled anew when SPF or DKIM is another.
 *
 * Who calls it: `pennypost explain`.
 */
export interface Fact {
  /** A check, or `dmarc-policy`. */
  name: string
  result: string
}

const results: Readonly<Record<string, readonly string[]>> = {
  spf: ['none', 'neutral', 'pass', 'fail', 'softfail', 'temperror', 'permerror', 'unavailable'],
  dkim: ['none', 'pass', 'fail', 'policy', 'neutral', 'temperror', 'permerror', 'unavailable'],
  arc: ['none', 'pass', 'fail', 'unavailable'],
  dmarc: ['none', 'pass', 'fail', 'temperror', 'permerror', 'unavailable'],
  'dmarc-policy': ['none', 'quarantine', 'reject'],
  'reverse-dns': ['pass', 'fail', 'temperror', 'permerror', 'unavailable'],
  dnsbl: ['listed', 'not-listed', 'unavailable'],
  dnswl: ['listed', 'not-listed', 'unavailable'],
  helo: ['pass', 'neutral', 'fail'],
  rate: ['within', 'exceeded', 'unavailable'],
  greylist: ['known', 'waited', 'wait', 'unavailable'],
  virus: ['clean', 'infected', 'skipped', 'unavailable'],
  spam: ['accept', 'quarantine', 'defer', 'reject', 'skipped', 'unavailable'],
  hook: ['accept', 'quarantine', 'defer', 'reject', 'skipped', 'unavailable'],
}

/** Reads `dkim=pass`. A text says what is wrong with it, and what there is instead. */
export function parseFact(text: string): Fact | string {
  const [, name = '', result = ''] = /^([a-z-]+)=([a-z-]+)$/.exec(text) ?? []
  const known = Object.hasOwn(results, name) ? results[name] : undefined
  if (!known) return `"${text}" is no fact: write CHECK=RESULT, where a check is ${Object.keys(results).join(', ')}`
  return known.includes(result) ? { name, result } : `${name} can be ${known.join(', ')}`
}

/** The findings as they would be; a check that was not made is added. */
export function withFact(findings: readonly Finding[], { name, result }: Fact): Finding[] {
  if (name === 'dmarc-policy') {
    return findings.map((finding) =>
      finding.check === 'dmarc' ? ({ ...finding, policy: result } as Finding) : finding,
    )
  }
  const known = findings.some(({ check }) => check === name)
  const all = known ? findings : [...findings, { ...blank, check: name } as unknown as Finding]
  if (name === 'dkim') return settle(withDkim(all, result as DkimFinding['result']))
  const changed = all.map((finding) =>
    finding.check === name ? ({ ...finding, result, detail: 'supposed' } as Finding) : finding,
  )
  return name === 'spf' ? settle(changed) : changed
}

/** What every kind of finding may have. */
const blank = {
  detail: '',
  identity: 'mailfrom',
  domain: '',
  signatures: [],
  sealer: '',
  instance: 0,
  authorDomain: '',
  policyDomain: '',
  policy: 'none',
  alignment: { spf: 'no', dkim: [] },
  address: '',
  name: '',
  zone: '',
  codes: [],
  helo: '',
  of: 'sender',
  retryAfterSeconds: 0,
  filter: 'supposed',
  signature: 'something',
  text: '',
}

/** Every signature comes out so; an unsigned message has one of its author's domain. */
function withDkim(findings: readonly Finding[], result: DkimFinding['result']): Finding[] {
  const dmarc = findings.find((finding): finding is DmarcFinding => finding.check === 'dmarc')
  const isAdded =
    result === 'pass' && findings.some((finding) => finding.check === 'dkim' && finding.signatures.length === 0)
  return findings.map((finding) => {
    if (finding.check === 'dmarc' && isAdded) {
      return { ...finding, alignment: { ...finding.alignment, dkim: ['yes'] } }
    }
    if (finding.check !== 'dkim') return finding
    const signatures = isAdded
      ? [
          {
            domain: dmarc?.authorDomain ?? '',
            selector: 'supposed',
            algorithm: '',
            start: '',
            detail: '',
            result: 'pass' as const,
          },
        ]
      : finding.signatures.map((signature) => ({
          ...signature,
          result: result === 'none' || result === 'unavailable' ? ('neutral' as const) : result,
        }))
    return { ...finding, result, detail: 'supposed', signatures }
  })
}

/** DMARC once more, where a record applies. */
function settle(findings: readonly Finding[]): Finding[] {
  const spf = findings.find((finding): finding is SpfFinding => finding.check === 'spf')
  const dkim = findings.find((finding): finding is DkimFinding => finding.check === 'dkim')
  return findings.map((finding) =>
    finding.check === 'dmarc' && finding.policyDomain !== '' && spf && dkim
      ? { ...finding, ...dmarcResult(finding.alignment, spf, dkim) }
      : finding,
  )
}

import type {
  ArcFinding,
  DkimFinding,
  DmarcFinding,
  Finding,
  ReverseDnsFinding,
  SpfFinding,
} from './findings/finding.ts'
import type { Verdict } from './judge.ts'

/**
 * The Authentication-Results field (RFC 8601) of what was found, and what the judge made of it. Blocking lists, rates and
 * filters have no method there and are left to the journey; where one of them decided, the reason says which.
 *
 * What it must never break: text that strangers chose cannot leave its place: values that are no tokens are quoted,
 * comments escaped, everything outside visible ASCII becomes `?`.
 *
 * Who calls it: reception, for the trace block; the sealer has the same results in its set.
 */

/** One line per method, the last for the verdict; ends with CRLF. `hostname` is the authserv-id. */
export function authenticationResults(
  hostname: string,
  findings: readonly Finding[],
  verdict?: Pick<Verdict, 'action' | 'reason'>,
): string {
  const results = findings.flatMap(describe)
  if (verdict) results.push(`x-verdict=${verdict.action} reason=${verdict.reason}`)
  return `Authentication-Results: ${[value(hostname), ...(results.length > 0 ? results : ['none'])].join(';\r\n\t')}\r\n`
}

/** The same results as the field of an ARC set (RFC 8617 §4.1.1). */
export function arcAuthenticationResults(field: string, instance: number): string {
  return field.replace(/^Authentication-Results:/, `ARC-Authentication-Results: i=${instance};`)
}

function describe(finding: Finding): string[] {
  switch (finding.check) {
    case 'spf':
      return [describeSpf(finding)]
    case 'dkim':
      return describeDkim(finding)
    case 'arc':
      return [describeArc(finding)]
    case 'dmarc':
      return [describeDmarc(finding)]
    case 'reverse-dns':
      return [describeReverseDns(finding)]
    case 'dnswl':
      // RFC 8904 §3.
      if (finding.result !== 'listed') return []
      return [method('dnswl', 'pass', { 'dns.zone': finding.zone, 'policy.ip': finding.codes[0] ?? '' })]
    default:
      return []
  }
}

function describeSpf({ result, identity, domain, detail }: SpfFinding): string {
  return method('spf', result, { [`smtp.${identity}`]: domain }, result === 'pass' ? '' : detail)
}

function describeDkim({ result, signatures, detail }: DkimFinding): string[] {
  if (signatures.length === 0) return [method('dkim', result, {}, detail)]
  return signatures.map((signature) =>
    method(
      'dkim',
      signature.result,
      {
        'header.d': signature.domain,
        'header.s': signature.selector,
        'header.a': signature.algorithm,
        'header.b': signature.start,
      },
      signature.detail,
    ),
  )
}

function describeArc({ result, sealer, instance, detail }: ArcFinding): string {
  return method('arc', result, { 'arc.sealer': sealer }, result === 'none' ? '' : `i=${instance} ${detail}`)
}

function describeDmarc({ result, authorDomain, policyDomain, policy, detail }: DmarcFinding): string {
  return method('dmarc', result, { 'policy.dmarc': policyDomain && policy, 'header.from': authorDomain }, detail)
}

function describeReverseDns({ result, address, name, detail }: ReverseDnsFinding): string {
  return method('iprev', result, { 'policy.iprev': address }, name || detail)
}

function method(name: string, result: string, properties: Record<string, string>, comment = ''): string {
  // RFC 8601 §2.7 has no word for it; §2.7.1 to §2.7.3 call it temporary.
  const parts = [`${name}=${result === 'unavailable' ? 'temperror' : result}`]
  const text = visible(comment).trim().slice(0, 200)
  if (text) parts.push(`(${text.replaceAll(/[()\\]/g, '\\$&')})`)
  for (const [property, content] of Object.entries(properties)) {
    if (content !== '') parts.push(`${property}=${value(content)}`)
  }
  return fold(parts)
}

/** RFC 8601 §2.2 pvalue: a token as it is, everything else as a quoted-string. */
function value(text: string): string {
  const plain = visible(text).slice(0, 255)
  return /^[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+$/.test(plain) ? plain : `"${plain.replaceAll(/["\\]/g, '\\$&')}"`
}

function visible(text: string): string {
  return text.replaceAll(/[^ -~]/g, '?')
}

/** Properties go to lines of their own where one would become longer than 78. */
function fold(parts: readonly string[]): string {
  let lines = ''
  let column = 8
  for (const part of parts) {
    const breaks = lines !== '' && column + part.length + 2 > 78
    lines += `${lines === '' ? '' : breaks ? '\r\n\t ' : ' '}${part}`
    column = breaks ? 9 + part.length : column + part.length + 1
  }
  return lines
}

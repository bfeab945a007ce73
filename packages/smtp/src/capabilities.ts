import type { Reply } from './reply.ts'

/**
 * What a server offers, read from its reply to EHLO or LHLO (RFC 5321 §4.1.1.1) or HELO (nothing).
 * Lines that are no ehlo-line are skipped: a capability that cannot be read is one not offered.
 */
export interface Capabilities {
  /** The name by which the server calls itself; '' when it gives none. */
  readonly hostname: string
  /** Keyword in upper case → its parameters as received. The first of a repeated keyword counts. */
  readonly keywords: ReadonlyMap<string, readonly string[]>
  /** RFC 1870: octets; null when not offered, or offered without a limit (0). */
  readonly size: number | null
  /** Mechanisms in upper case, of `AUTH …` and of the old form `AUTH=…`. */
  readonly auth: ReadonlySet<string>
  /** RFC 9422 RCPTMAX, RCPTDOMAINMAX and MAILMAX; null when the server names none. */
  readonly recipientsMax: number | null
  readonly recipientDomainsMax: number | null
  readonly transactionsMax: number | null
}

/** A server that answered HELO offers nothing. */
export function parseCapabilities(reply: Reply): Capabilities {
  const keywords = new Map<string, readonly string[]>()
  const auth = new Set<string>()
  for (const line of reply.lines.slice(1)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:[ \t=]+(.*))?$/s.exec(line.trim())
    if (!match) continue
    const keyword = match[1]!.toUpperCase()
    const parameters = (match[2] ?? '').split(/[ \t]+/).filter((word) => word !== '')
    if (!keywords.has(keyword)) keywords.set(keyword, parameters)
    if (keyword === 'AUTH') for (const mechanism of parameters) auth.add(mechanism.toUpperCase())
  }
  const limits = new Map(
    (keywords.get('LIMITS') ?? []).map((word) => word.toUpperCase().split('=') as [string, string]),
  )
  return {
    hostname: /^\S*/.exec(reply.lines[0]!)![0],
    keywords,
    size: positive(keywords.get('SIZE')?.[0]),
    auth,
    recipientsMax: positive(limits.get('RCPTMAX')),
    recipientDomainsMax: positive(limits.get('RCPTDOMAINMAX')),
    transactionsMax: positive(limits.get('MAILMAX')),
  }
}

export const noCapabilities: Capabilities = parseCapabilities({ code: 250, enhanced: null, lines: [''] })

function positive(text: string | undefined): number | null {
  return text !== undefined && /^[0-9]{1,20}$/.test(text) && Number(text) > 0 ? Number(text) : null
}

/**
 * MTA-STS policies as text and as values (RFC 8461 §3). Pure.
 * Who calls it: the policy cache, the TLS decision, and the page that serves our own.
 */
export interface StsPolicy {
  mode: 'enforce' | 'testing' | 'none'
  /** Host names, or `*.` and the domain of which they are one label below. Lower case. */
  mx: readonly string[]
  /** At most a year (§3.2). */
  maxAgeSeconds: number
}

const yearSeconds = 31_557_600
/** Patterns that one policy may have. */
const patternsMax = 100

/** The `id` of the one valid record among TXT records; undefined where the domain has no policy (§3.1). */
export function stsIdOf(records: readonly string[]): string | undefined {
  const own = records.filter((text) => /^v=STSv1[ \t]*;/.test(text))
  if (own.length !== 1) return undefined
  return /;[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?:;|$)/.exec(own[0] as string)?.[1]
}

/** Undefined for what is no valid policy. The first of a repeated field counts, except `mx` (§3.2). */
export function parseStsPolicy(text: string): StsPolicy | undefined {
  const fields = new Map<string, string>()
  const mx: string[] = []
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':')
    const key = line.slice(0, Math.max(0, colon)).trim()
    const value = line.slice(colon + 1).trim()
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(key)) continue
    if (key !== 'mx') {
      if (!fields.has(key)) fields.set(key, value)
    } else if (/^(?:\*\.)?[A-Za-z0-9_.-]+$/.test(value)) mx.push(value.toLowerCase().replace(/\.$/, ''))
    else return undefined
  }
  const mode = fields.get('mode')
  const maxAge = fields.get('max_age') ?? ''
  if (fields.get('version') !== 'STSv1' || !/^[0-9]{1,10}$/.test(maxAge)) return undefined
  if (mode !== 'enforce' && mode !== 'testing' && mode !== 'none') return undefined
  if ((mx.length === 0 && mode !== 'none') || mx.length > patternsMax) return undefined
  return { mode, mx, maxAgeSeconds: Math.min(Number(maxAge), yearSeconds) }
}

/** The other direction, for our own. */
export function printStsPolicy(policy: StsPolicy): string {
  return [...stsLines(policy), ''].join('\r\n')
}

/** For reports, which have no line ends (RFC 8460 §4.4). */
export function stsLines({ mode, mx, maxAgeSeconds }: StsPolicy): string[] {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((name) => `mx: ${name}`), `max_age: ${maxAgeSeconds}`]
}

/** Whether the policy allows this MX host (§4.1): a wildcard stands for exactly one label. */
export function allowsMx({ mx }: Pick<StsPolicy, 'mx'>, host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  const dot = name.indexOf('.')
  return mx.some((pattern) =>
    pattern.startsWith('*.') ? dot > 0 && name.slice(dot) === pattern.slice(1) : name === pattern,
  )
}

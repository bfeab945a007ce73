import type { DmarcPolicy } from '../findings/finding.ts'

/** A DMARC record (RFC 9989 §4.7). */
export interface DmarcRecord {
  /** For the domain itself. */
  policy: DmarcPolicy
  /** For subdomains that exist. */
  subdomainPolicy: DmarcPolicy
  /** For subdomains that do not exist. */
  nonExistentPolicy: DmarcPolicy
  alignment: { dkim: 'relaxed' | 'strict'; spf: 'relaxed' | 'strict' }
  /** `t=y`: what applies is one level below the policy. */
  isTest: boolean
  /** Whether the domain calls itself a public suffix. */
  publicSuffix: 'yes' | 'no' | 'unknown'
  /** `rua`: where aggregate reports are wanted, as it stands there, without what is no URI. */
  reportUris: readonly string[]
  /** False: neither a valid policy nor an address for reports, so it counts in the tree walk and says nothing else. */
  applies: boolean
}

const policies: readonly string[] = ['none', 'quarantine', 'reject']

/** Undefined for text that is no DMARC record. */
export function parseDmarcRecord(text: string): DmarcRecord | undefined {
  const tags = parseTags(text)
  if (!tags) return undefined
  const tag = (name: string): string | undefined => tags.get(name)?.toLowerCase()
  // RFC 9989 §4.10.1: with a fault in a policy only the wish for reports is left, and means p=none.
  const stated = ['p', 'sp', 'np'].map(tag).filter((policy) => policy !== undefined)
  const isSound = tag('p') !== undefined && stated.every((policy) => policies.includes(policy))
  const read = (...names: string[]) =>
    (isSound ? names.map(tag).find((policy) => policy !== undefined) : 'none') as DmarcPolicy
  const mode = (name: string) => (tag(name) === 's' ? 'strict' : 'relaxed')
  const reportUris = urisIn(tags.get('rua') ?? '')
  return {
    policy: read('p'),
    subdomainPolicy: read('sp', 'p'),
    nonExistentPolicy: read('np', 'sp', 'p'),
    alignment: { dkim: mode('adkim'), spf: mode('aspf') },
    isTest: tag('t') === 'y',
    publicSuffix: tag('psd') === 'y' ? 'yes' : tag('psd') === 'n' ? 'no' : 'unknown',
    reportUris,
    applies: isSound || reportUris.length > 0,
  }
}

/** The record among the texts at a name: several are as good as none (RFC 9989 §4.10). */
export function recordAmong(texts: readonly string[]): DmarcRecord | undefined {
  const records = texts.flatMap((text) => parseDmarcRecord(text.trim()) ?? [])
  return records.length === 1 ? records[0] : undefined
}

/**
 * The tags of a text that begins as a DMARC record does; undefined for any other. Tag lists are those of DKIM: a tag twice
 * spoils the record.
 */
export function parseTags(text: string): ReadonlyMap<string, string> | undefined {
  if (!/^v[ \t]*=[ \t]*DMARC1[ \t]*(;|$)/i.test(text) || !/^.[ \t]*=[ \t]*DMARC1/.test(text)) return undefined
  const tags = new Map<string, string>()
  for (const item of text.split(';').slice(1)) {
    const equals = item.indexOf('=')
    const name = item.slice(0, Math.max(0, equals)).trim()
    if (name === '' || /\s/.test(name)) continue
    if (tags.has(name)) return undefined
    tags.set(name, item.slice(equals + 1).trim())
  }
  return tags
}

/** What has the form of a URI, of a list of them. */
export function urisIn(list: string): string[] {
  return list
    .split(',')
    .map((uri) => uri.trim())
    .filter((uri) => /^[a-z][a-z0-9+.-]*:[!-~]*$/i.test(uri))
}

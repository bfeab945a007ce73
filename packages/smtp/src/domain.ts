import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

/**
 * Domains and address literals of RFC 5321 §4.1.2 and §4.1.3, with U-labels of RFC 6531 §3.3.
 * They are judged, never changed: what was received is what is kept, relayed and shown.
 */

/**
 * RFC 5321 §4.1.2 sub-domain, and beyond it the underscore: DNS allows any octet (RFC 2181 §11), hosts with such names
 * do send, and whether the name exists is a question for DNS, not for grammar.
 */
const ldhDomain =
  /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/

/** Why `text` is no domain, or null when it is one. Limits in octets are the caller's. */
export function domainFault(text: string, smtpUtf8: boolean): string | null {
  if (ldhDomain.test(text)) return null
  if (text === '') return 'domain is missing'
  for (const label of text.split('.')) {
    if (label === '') return 'domain has an empty label'
    if (ldhDomain.test(label)) continue
    if (/^[\x00-\x7f]*$/.test(label))
      return label.length > 63 ? 'domain label is longer than 63' : 'domain is not valid'
    if (!smtpUtf8) return 'domain is not ASCII'
    // RFC 6531 §3.3: a U-label must have an A-label; one that maps to dots or to an IPv4 address is none.
    if (!ldhDomain.test(domainToASCII(label)) || domainToASCII(label).includes('.')) return 'domain is not valid'
  }
  return null
}

/** `general`: a form that no standard has filled yet. */
export type AddressLiteral = { kind: 'ipv4' | 'ipv6'; address: string } | { kind: 'general' }

/** The address literal of RFC 5321 §4.1.3 for an IP address: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. */
export function formatAddressLiteral(address: string): string {
  return `[${address.includes(':') ? 'IPv6:' : ''}${address}]`
}

/** Reads `[192.0.2.1]`, `[IPv6:2001:db8::1]` or `[tag:content]`, brackets included; null when it is none of them. */
export function parseAddressLiteral(text: string): AddressLiteral | null {
  if (!text.startsWith('[') || !text.endsWith(']')) return null
  const inner = text.slice(1, -1)
  if (isIPv4(inner)) return { kind: 'ipv4', address: inner }
  const colon = inner.indexOf(':')
  if (colon < 1) return null
  const tag = inner.slice(0, colon)
  const content = inner.slice(colon + 1)
  if (/^ipv6$/i.test(tag)) return isIPv6(content) && !content.includes('%') ? { kind: 'ipv6', address: content } : null
  // General-address-literal = Standardized-tag ":" 1*dcontent; Standardized-tag = Ldh-str
  return /^[A-Za-z0-9-]*[A-Za-z0-9]$/.test(tag) && /^[!-Z^-~]+$/.test(content) ? { kind: 'general' } : null
}

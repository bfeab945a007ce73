import { domainToASCII, domainToUnicode } from 'node:url'

/**
 * Addresses in lookup form: what the directory stores and what every comparison of ours uses. The octets as received
 * are kept beside it by whoever needs them (replies, ORCPT, Delivered-To, relays).
 */

/** A domain as lower-case A-label (UTS 46), without final dot; undefined when it is no domain name. */
export function lookupDomain(domain: string): string | undefined {
  const trimmed = domain.endsWith('.') ? domain.slice(0, -1) : domain
  // domainToASCII follows the URL standard: it decodes percent signs and turns `1.2.3` into an IPv4 address.
  if (!/^[^\s%/?#@:[\]\\<>"]{1,255}$/.test(trimmed)) return undefined
  const ascii =
    /^[a-z0-9._-]+$/i.test(trimmed) && !/(^|\.)xn--/i.test(trimmed) ? trimmed.toLowerCase() : domainToASCII(trimmed)
  const labels = ascii.split('.')
  if (ascii === '' || ascii.length > 253) return undefined
  return labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) ? ascii : undefined
}

/** A stored domain as people read it (U-labels). */
export function displayDomain(domain: string): string {
  return domainToUnicode(domain) || domain
}

/** A local part (without quotes) for comparison: NFC and lower-case, as nearly every system treats it. */
export function lookupLocalPart(localPart: string): string {
  return localPart.normalize('NFC').toLowerCase().normalize('NFC')
}

/**
 * `local@domain` in lookup form; the local part may be a quoted string (RFC 5321 §4.1.2). Undefined when it is not an
 * address at all; address literals are not looked up and give undefined too.
 */
export function lookupAddress(address: string): string | undefined {
  const split = splitAddress(address)
  if (!split) return undefined
  const domain = lookupDomain(split.domain)
  return domain === undefined ? undefined : `${lookupLocalPart(split.localPart)}@${domain}`
}

/** Whether two addresses as written are one in lookup form; what has none ('' for the null reverse-path) is one as it is. */
export function isSameAddress(one: string, other: string): boolean {
  return one === other || (lookupAddress(one) ?? one) === (lookupAddress(other) ?? other)
}

/** The parts of `local@domain` as written, a quoted local part without its quotes; undefined when a part is missing. */
export function splitAddress(address: string): { localPart: string; domain: string } | undefined {
  const at = address.lastIndexOf('@')
  if (at < 1 || at === address.length - 1) return undefined
  const written = address.slice(0, at)
  const quoted = /^"((?:[^"\\]|\\.)*)"$/s.exec(written)
  const localPart = quoted ? (quoted[1] as string).replace(/\\(.)/gs, '$1') : written
  return localPart === '' ? undefined : { localPart, domain: address.slice(at + 1) }
}

/** What stands behind the last @, which every address of the directory has. */
export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

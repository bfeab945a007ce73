import { fieldValue, type HeaderSection, parseAddressList } from '@pennypost/message'
import { lookupDomain } from '@pennypost/model'

/** DMARC asks the policy of the author's domain; who hides behind more entries of a From field is none to be asked for. */
const maxEntries = 1000

/**
 * Domains of all addresses in all From fields, in A-labels, each once (RFC 9989 §4.2.1). What is no domain is '': also
 * `one.test@two.test`, of which readers may take either, and what stands where nobody looks any more.
 */
export function authorDomains(section: HeaderSection): string[] {
  const written = new Set<string>()
  for (const field of section.fields) {
    if (field.name !== 'from') continue
    const entries = parseAddressList(fieldValue(section, field), maxEntries + 1)
    if (entries.length > maxEntries) written.add('')
    for (const { host } of entries) if (host) written.add(host)
  }
  return [...new Set([...written].map((domain) => lookupDomain(domain) ?? ''))]
}

import { fieldValue, type HeaderSection, mailboxesOf, parseAddressList } from '@pennypost/message'
import { lookupDomain } from '@pennypost/model'

/** DMARC asks the policy of the author's domain; more than so many addresses are none that it could ask. */
const maxAuthors = 100
/** Of a field's entries, what is no address included. */
const maxEntries = 1000

/** Domains of all addresses in all From fields, in A-labels, each once (RFC 9989 §4.2.1); what is no domain is ''. */
export function authorDomains(section: HeaderSection): string[] {
  const written = new Set<string>()
  for (const field of section.fields) {
    if (field.name !== 'from') continue
    const authors = mailboxesOf(parseAddressList(fieldValue(section, field), maxEntries))
    for (const mailbox of authors.slice(0, maxAuthors)) written.add(mailbox.slice(mailbox.lastIndexOf('@') + 1))
  }
  return [...new Set([...written].map((domain) => lookupDomain(domain) ?? ''))]
}

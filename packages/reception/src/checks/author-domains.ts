import { fieldValue, type HeaderSection, mailboxesOf, parseAddressList } from '@pennypost/message'
import { lookupDomain } from '@pennypost/model'

/** DMARC asks the policy of the author's domain; more than so many addresses are none that it could ask. */
const maxAuthors = 100

/** Domains of all addresses in all From fields, in A-labels, each once (RFC 9989 §4.2.1); what is no domain is ''. */
export function authorDomains(section: HeaderSection): string[] {
  const domains = new Set<string>()
  for (const field of section.fields) {
    if (field.name !== 'from') continue
    for (const mailbox of mailboxesOf(parseAddressList(fieldValue(section, field))).slice(0, maxAuthors)) {
      domains.add(lookupDomain(mailbox.slice(mailbox.lastIndexOf('@') + 1)) ?? '')
    }
  }
  return [...domains]
}

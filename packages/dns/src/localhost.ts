import type { DnsAnswer, DnsType } from '@pennypost/model'

/** Nobody has to be asked where this machine is: the name means it by RFC 6761 §6.3, and many name servers deny it. */
const addresses: Partial<Record<DnsType, string>> = { A: '127.0.0.1', AAAA: '::1' }

/** The answer for `localhost` and what is below it; undefined for any other name. */
export function answerForLocalhost(name: string, type: DnsType): DnsAnswer<DnsType> | undefined {
  if (name !== 'localhost' && !name.endsWith('.localhost')) return undefined
  const address = addresses[type]
  const always = { ttlSeconds: 86_400, authentic: false }
  return address === undefined ? { status: 'nodata', ...always } : { status: 'found', records: [address], ...always }
}

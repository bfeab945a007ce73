import { addressesOf, type DnsRecords, type DnsType, failureText, type Resolver, reverseName } from '@pennypost/model'
import type { PublishedRecord } from './dns-records.ts'

/** Compares what should be in the DNS with what is. Says "unknown" where it could not find out, never guesses. */
export interface CheckedRecord extends PublishedRecord {
  state: 'ok' | 'missing' | 'different' | 'unknown'
  /** What is there. */
  found: string[]
  /** What to do, or why it could not be found out; '' when all is well. */
  advice: string
}

type Finding = Pick<CheckedRecord, 'state' | 'found' | 'advice'>

/** Looks up one record. `hostname`: ours. */
export async function checkRecord(
  resolver: Resolver,
  record: PublishedRecord,
  hostname: string,
  signal: AbortSignal,
): Promise<CheckedRecord> {
  return { ...record, ...(await find(resolver, record, hostname, signal)) }
}

function find(resolver: Resolver, record: PublishedRecord, hostname: string, signal: AbortSignal): Promise<Finding> {
  switch (record.purpose) {
    case 'mx':
      return compare(resolver, record.name, 'MX', signal, ({ preference, exchange }) => ({
        shown: `${preference} ${exchange}.`,
        fits: exchange === hostname,
      }))
    case 'address':
      return checkAddress(resolver, record, signal)
    case 'reverse':
      return checkReverse(resolver, record, hostname, signal)
    case 'mta-sts-host':
    case 'autoconfig-host':
      return checkAlias(resolver, record, hostname, signal)
    case 'autoconfig':
      return compare(resolver, record.name, 'SRV', signal, ({ priority, weight, port, target }) => ({
        shown: `${priority} ${weight} ${port} ${target}.`,
        fits: record.value.endsWith(` ${port} ${target}.`),
      }))
    default:
      return checkText(resolver, record, signal)
  }
}

async function compare<T extends DnsType>(
  resolver: Resolver,
  name: string,
  type: T,
  signal: AbortSignal,
  judge: (record: DnsRecords[T]) => { shown: string; fits: boolean },
): Promise<Finding> {
  const answer = await resolver.query(name, type, signal)
  if (answer.status === 'failed')
    return { state: 'unknown', found: [], advice: `The DNS gave no answer: ${failureText(answer)}` }
  if (answer.status !== 'found') return { state: 'missing', found: [], advice: 'Publish it.' }
  const judged = answer.records.map(judge)
  const found = judged.map(({ shown }) => shown)
  if (judged.some(({ fits }) => fits)) return { state: 'ok', found, advice: '' }
  return { state: 'different', found, advice: 'Change it to the value here.' }
}

async function checkAddress(resolver: Resolver, { name, value, type }: PublishedRecord, signal: AbortSignal) {
  const known = !value.startsWith('<')
  const finding = await compare(resolver, name, type === 'AAAA' ? 'AAAA' : 'A', signal, (address) => ({
    shown: address,
    fits: !known || address === value,
  }))
  if (finding.state !== 'different') return finding
  return { ...finding, advice: 'Change it, or set `[relay] own_addresses` if that is the address outside of NAT.' }
}

/** An alias of this server, or the same address: a site of the domain's own would serve a policy of its own. */
async function checkAlias(
  resolver: Resolver,
  { name }: PublishedRecord,
  hostname: string,
  signal: AbortSignal,
): Promise<Finding> {
  const alias = await compare(resolver, name, 'CNAME', signal, (target) => ({
    shown: `${target}.`,
    fits: target === hostname,
  }))
  if (alias.state !== 'missing') return alias
  const ours = new Set(await addressesOf(resolver, hostname, signal))
  const judge = (address: string) => ({ shown: address, fits: ours.has(address) })
  const address = await compare(resolver, name, 'A', signal, judge)
  return address.state === 'missing' ? compare(resolver, name, 'AAAA', signal, judge) : address
}

/** Each address of ours must lead back to our name (forward-confirmed reverse DNS). */
async function checkReverse(
  resolver: Resolver,
  { name }: PublishedRecord,
  hostname: string,
  signal: AbortSignal,
): Promise<Finding> {
  const addresses = name.startsWith('<') ? await addressesOf(resolver, hostname, signal) : [name]
  const [address] = addresses
  if (address === undefined) {
    return { state: 'unknown', found: [], advice: `${hostname} has no address yet, so there is nothing to look up.` }
  }
  const finding = await compare(resolver, reverseName(address), 'PTR', signal, (pointer) => ({
    shown: pointer,
    fits: pointer === hostname,
  }))
  if (finding.state === 'ok' || finding.state === 'unknown') return finding
  return { ...finding, advice: `Ask the provider of ${address} to let it point to ${hostname}.` }
}

// What makes a TXT record one of its kind, among all others at the same name.
const textKinds: Partial<Record<PublishedRecord['purpose'], RegExp>> = {
  spf: /^v=spf1(?: |$)/i,
  'helo-spf': /^v=spf1(?: |$)/i,
  dkim: /(?:^|;)\s*p\s*=/i,
  dmarc: /^v\s*=\s*DMARC1\s*(?:;|$)/,
  'tls-report': /^v\s*=\s*TLSRPTv1\s*(?:;|$)/,
  'mta-sts': /^v\s*=\s*STSv1\s*(?:;|$)/,
}

async function checkText(resolver: Resolver, record: PublishedRecord, signal: AbortSignal): Promise<Finding> {
  const kind = textKinds[record.purpose] as RegExp
  const answer = await resolver.query(record.name, 'TXT', signal)
  if (answer.status === 'failed')
    return { state: 'unknown', found: [], advice: `The DNS gave no answer: ${failureText(answer)}` }
  const found = answer.status === 'found' ? answer.records.filter((text) => kind.test(text)) : []
  if (found.length === 0) return { state: 'missing', found, advice: 'Publish it.' }
  // RFC 7208 §4.5 for SPF, and its kin likewise: with two of them, neither counts.
  if (found.length > 1) return { state: 'different', found, advice: 'Keep one of them: several make all of them void.' }
  const advice = adviceFor(record, found[0] as string)
  return { state: advice === '' ? 'ok' : 'different', found, advice }
}

/** What is wrong with the record that is there; '' when it serves. */
function adviceFor({ purpose, value }: PublishedRecord, found: string): string {
  if (purpose === 'dkim') {
    return dkimKeyIn(found) === dkimKeyIn(value) ? '' : 'It holds another key: mail that is signed here fails there.'
  }
  if (purpose === 'mta-sts') {
    const id = /;\s*id\s*=\s*(\w+)/
    return id.exec(found)?.[1] === id.exec(value)?.[1]
      ? ''
      : 'It has the id of another policy: the new one is not seen.'
  }
  if (purpose === 'spf' || purpose === 'helo-spf') {
    if (/\s\+?all\b/i.test(found)) return 'It ends in +all, which lets everybody send as the domain.'
    if (!/\s\+?(?:mx|a|ip4:|ip6:|include:|redirect=|exists:)/i.test(found)) return 'It lets nobody send.'
    const namesOthers = /\s(?:[+?~]?(?:mx:|a:|ip4:|ip6:|include:|exists:)|redirect=)/i
    return namesOthers.test(value) && !namesOthers.test(found)
      ? 'It does not name the other host by which mail of the domain leaves.'
      : ''
  }
  return ''
}

/**
 * The public key in the text of a DKIM record (RFC 6376 §3.6.1, `p=`): what must be equal, whatever else stands there. The
 * text may be in quotes and pieces, as a zone file has it.
 */
export function dkimKeyIn(text: string): string | undefined {
  return /(?:^|;)p=([^;]*)/.exec(text.replace(/["\s]/g, ''))?.[1]
}

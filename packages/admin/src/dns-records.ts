import { createHash } from 'node:crypto'
import type { DkimRecord } from '@pennypost/message-auth'
import type { Domain } from '@pennypost/model'
import type { Installation } from './context.ts'

/** The records of the DNS that a domain needs for mail here, each with the reason that a newcomer asks for. */
export interface PublishedRecord {
  purpose: RecordPurpose
  /** Fully qualified, without final dot. */
  name: string
  type: 'MX' | 'A' | 'AAAA' | 'CNAME' | 'TXT' | 'SRV' | 'PTR'
  /** As a zone file has it; several character-strings where one is too long. */
  value: string
  /** `required`: mail fails or is refused without. `optional`: helps. `ask`: only who owns the address can set it. */
  need: 'required' | 'recommended' | 'optional' | 'ask'
  why: string
}

export type RecordPurpose =
  | 'mx'
  | 'address'
  | 'spf'
  | 'helo-spf'
  | 'dkim'
  | 'dmarc'
  | 'tls-report'
  | 'mta-sts'
  | 'mta-sts-host'
  | 'autoconfig'
  | 'autoconfig-host'
  | 'reverse'

/** All records to publish for one domain, the most needed first. */
export function recordsFor(
  domain: Pick<Domain, 'name' | 'kind'>,
  keys: readonly DkimRecord[],
  installation: Installation,
): PublishedRecord[] {
  const { hostname } = installation
  const mx: PublishedRecord = {
    purpose: 'mx',
    name: domain.name,
    type: 'MX',
    value: `10 ${hostname}.`,
    need: 'required',
    why: 'other servers bring mail for the domain here',
  }
  if (domain.kind === 'relay') return [mx, ...addressRecords(installation)]
  return [
    mx,
    ...addressRecords(installation),
    ...senderRecords(domain.name, keys, installation),
    ...reportRecords(domain.name),
    ...stsRecords(domain.name, installation),
    ...autoconfigRecords(domain.name, installation),
  ]
}

function addressRecords({ hostname, publicAddresses }: Installation): PublishedRecord[] {
  const known = publicAddresses.length > 0 ? publicAddresses : ['<the public IPv4 address of this server>']
  return known.flatMap((address): PublishedRecord[] => {
    const type = address.includes(':') ? 'AAAA' : 'A'
    return [
      { purpose: 'address', name: hostname, type, value: address, need: 'required', why: 'where this server is' },
      {
        purpose: 'reverse',
        name: address,
        type: 'PTR',
        value: `${hostname}.`,
        need: 'ask',
        why: 'ask the provider of the address for it: many servers take no mail from an address without',
      },
    ]
  })
}

function senderRecords(
  name: string,
  keys: readonly DkimRecord[],
  { hostname, sentBy }: Installation,
): PublishedRecord[] {
  const txt = (purpose: RecordPurpose, at: string, text: string, why: string): PublishedRecord => {
    return { purpose, name: at, type: 'TXT', value: characterStrings(text), need: 'required', why }
  }
  const others = sentBy(name)
  return [
    others.length === 0
      ? txt('spf', name, 'v=spf1 mx -all', 'SPF: only this server sends mail of the domain (RFC 7208)')
      : txt(
          'spf',
          name,
          `v=spf1 mx ${others.join(' ')} ~all`,
          'SPF: mail of the domain leaves by that host too; its provider may have another mechanism for that, often include: (RFC 7208)',
        ),
    {
      ...txt('helo-spf', hostname, 'v=spf1 a -all', 'SPF for the name that this server gives, and for bounces'),
      need: 'recommended',
    },
    ...keys.map((key) =>
      txt(
        'dkim',
        key.name,
        key.value,
        key.algorithm === 'rsa'
          ? 'DKIM: others verify what this server signed (RFC 6376)'
          : 'DKIM with a short key, for those who know it (RFC 8463)',
      ),
    ),
    txt(
      'dmarc',
      `_dmarc.${name}`,
      `v=DMARC1; p=none; rua=mailto:postmaster@${name}`,
      'DMARC: start with p=none, read the reports, then go to p=quarantine and p=reject (RFC 9989)',
    ),
  ]
}

function reportRecords(name: string): PublishedRecord[] {
  return [
    {
      purpose: 'tls-report',
      name: `_smtp._tls.${name}`,
      type: 'TXT',
      value: characterStrings(`v=TLSRPTv1; rua=mailto:postmaster@${name}`),
      need: 'optional',
      why: 'others report trouble with TLS (RFC 8460)',
    },
  ]
}

/** RFC 8461 §3. The id follows from the policy, so that a changed policy is seen by those who keep the old one. */
function stsRecords(name: string, { hostname, mtaSts, sitePort }: Installation): PublishedRecord[] {
  if (mtaSts.mode === 'none') return []
  const id = createHash('sha256').update(mtaSts.text).digest('hex').slice(0, 20)
  const site = `https://mta-sts.${name}/.well-known/mta-sts.txt`
  return [
    {
      purpose: 'mta-sts-host',
      name: `mta-sts.${name}`,
      type: 'CNAME',
      value: `${hostname}.`,
      need: 'optional',
      why: `${servedBy(sitePort, `serves ${site} there`)} that name too`,
    },
    {
      purpose: 'mta-sts',
      name: `_mta-sts.${name}`,
      type: 'TXT',
      value: characterStrings(`v=STSv1; id=${id}`),
      need: 'optional',
      why: `others insist on TLS with this server, mode ${mtaSts.mode}, once ${site} can be fetched (RFC 8461)`,
    },
  ]
}

/** Where nothing listens for HTTPS, the records are of use only with a web server that has the port. */
function servedBy(sitePort: number | undefined, does: string): string {
  return sitePort === undefined
    ? `only with an https listener, which is not open here, or a web server that passes on to http, and a certificate for`
    : `the https listener ${does}; its certificate has to be for`
}

// RFC 6186 §3, RFC 8314 §5.1. The lowest priority is what programs that know both IMAP and POP3 take (RFC 6186 §3.4).
const srvServices = [
  { service: 'submissions', priority: 0 },
  { service: 'submission', priority: 10 },
  { service: 'imaps', priority: 0 },
  { service: 'imap', priority: 10 },
  { service: 'pop3s', priority: 20 },
  { service: 'pop3', priority: 30 },
] as const

/** How mail programs find this server by themselves; nothing where it has nothing for them. */
function autoconfigRecords(name: string, { clientServices, hostname, sitePort }: Installation): PublishedRecord[] {
  if (clientServices.length === 0) return []
  const srv = (service: string, value: string, why: string): PublishedRecord => {
    return { purpose: 'autoconfig', name: `_${service}._tcp.${name}`, type: 'SRV', value, need: 'optional', why }
  }
  const host = (label: string, programs: string): PublishedRecord => ({
    purpose: 'autoconfig-host',
    name: `${label}.${name}`,
    type: 'CNAME',
    value: `${hostname}.`,
    need: 'optional',
    why: `${programs} ask there for all settings; ${servedBy(sitePort, 'answers')} that name too`,
  })
  return [
    ...srvServices.map(({ service, priority }) => {
      const port = clientServices.find((offered) => offered.service === service)?.port
      return port === undefined
        ? srv(service, '0 0 0 .', `there is no ${service} here, and mail programs need not try (RFC 6186)`)
        : srv(service, `${priority} 1 ${port} ${hostname}.`, 'mail programs find this server by themselves (RFC 6186)')
    }),
    host('autoconfig', 'Thunderbird and others'),
    host('autodiscover', 'Outlook and others'),
    srv(
      'autodiscover',
      `0 0 ${sitePort ?? 443} ${hostname}.`,
      'for Outlook, where the certificate is not for autodiscover.',
    ),
  ]
}

/** Quoted character-strings of at most 255 octets (RFC 1035 §3.3). All our texts are ASCII. */
function characterStrings(text: string): string {
  return (text.match(/.{1,255}/g) ?? []).map((piece) => `"${piece}"`).join(' ')
}

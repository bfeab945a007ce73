import { isIP } from 'node:net'
import { lookupAddress, lookupDomain } from '@pennypost/model'
import { parseHop } from '@pennypost/relay/hop'
import { z } from 'zod'
import { duration, ipAddress, isAddressPort, network, table } from './fields.ts'

/** `[dns]`, `[relay]`, `[mta_sts]`: how mail finds its way out, and what others are told about the way in. */

const port = z.number().int().min(1).max(65_535)

const hop = (defaultPort: number) =>
  z
    .string()
    .refine(
      (text) => text === '' || parseHop(text, defaultPort) !== undefined,
      'is no next hop; write e.g. "smtp.example.net:587", "mx:example.net", "lmtp:/run/store.sock"',
    )

const lookedUp = (text: string): string | undefined =>
  text.startsWith('.') || text.startsWith('@')
    ? lookupDomain(text.slice(1)) && `${text[0]}${lookupDomain(text.slice(1))}`
    : (lookupAddress(text) ?? lookupDomain(text))

const condition = (isSender: boolean, complaint: string) =>
  z.string().transform((text, context) => {
    const found = lookedUp(text)
    if (found?.includes('@') === isSender && found !== undefined) return found
    context.addIssue({ code: 'custom', message: complaint })
    return z.NEVER
  })

/** Mail for a domain, from a sender, or both, that goes another way. The first that fits counts. */
const route = z
  .strictObject({
    domain: condition(false, 'is no domain; write e.g. "example.net", or ".example.net" for all below it').optional(),
    sender: condition(true, 'is no sender; write e.g. "sales@example.org" or "@example.org"').optional(),
    /** `direct`: to the domain's own MX, past the smarthost. */
    to: z.union([z.literal('direct'), hop(25)]),
    user: z.string().default(''),
    password_file: z.string().default(''),
  })
  .refine(({ domain, sender }) => domain !== undefined || sender !== undefined, 'needs a domain or a sender')
  .refine(({ to }) => to !== '', 'needs to know where to')
  .refine(({ user, password_file: file }) => (user === '') === (file === ''), 'needs both user and password_file')

const name = condition(false, 'is no name; write e.g. "mx.example.net", or ".example.net" for all below it')

/** What TLS with a domain or a next hop has to be at least, whatever they publish. The first that fits counts. */
const tlsDemand = z
  .strictObject({
    domain: name,
    level: z.enum(['may', 'encrypt', 'verify', 'dane']),
    /** verify: the certificate bears one of these; empty: the domain, or a name below it. */
    names: z.array(name).default([]),
  })
  .refine(({ level, names }) => level === 'verify' || names.length === 0, 'has names, which only "verify" looks at')

/** Who may start the queue of a domain by ETRN, and which accounts may fetch it by ATRN. */
const turn = z
  .strictObject({
    domain: condition(false, 'is no domain; write e.g. "branch.example.org"'),
    clients: z.array(network).default([]),
    accounts: z.array(z.string().transform((text) => lookupAddress(text) ?? text)).default([]),
  })
  .refine(({ clients, accounts }) => clients.length + accounts.length > 0, 'needs clients or accounts')

export const dnsSchema = table({
  servers: z
    .array(
      z.string().refine((text) => isAddressPort(text, 53), 'is no address of a name server; write e.g. "127.0.0.1:53"'),
    )
    .default([]),
  /** `trust-ad`: believe these servers when they say that DNSSEC vouches for an answer. Loopback is always believed. */
  dnssec: z.enum(['off', 'trust-ad']).default('off'),
})

export const relaySchema = table({
  port: port.default(25),
  retry: z
    .array(duration.refine((ms) => ms > 0, 'is no time to wait'))
    .min(1, 'needs a step')
    .prefault(['15m', '15m', '30m', '1h', '2h', '4h']),
  delay_warning: duration.prefault('4h'),
  expire: duration.prefault('5d'),
  smarthost: hop(587).default(''),
  /** Account at the smarthost; its password stands alone in `smarthost_password_file`. */
  smarthost_user: z.string().default(''),
  smarthost_password_file: z.string().default(''),
  route: z.array(route).default([]),
  tls: z.array(tlsDemand).default([]),
  turn: z.array(turn).default([]),
  own_addresses: z.array(ipAddress).default([]),
  /** Where connections leave from: at most one IPv4 and one IPv6 address; the system chooses otherwise. */
  source_addresses: z
    .array(ipAddress)
    .refine((all) => new Set(all.map(isIP)).size === all.length, 'has two of one family')
    .default([]),
  /** Attempts at a time, in all and to one destination. */
  concurrency: z.number().int().min(1).max(10_000).default(500),
  per_destination: z.number().int().min(1).max(100).default(20),
  /** Whether the MTA-STS policies of other domains are kept. */
  mta_sts: z.boolean().default(true),
  /** Where they are fetched; anything but 443 is for tests. */
  mta_sts_port: port.default(443),
  /** Whether domains that ask for it are told daily how TLS with their hosts went (RFC 8460). */
  tls_reports: z.boolean().default(true),
  /** Whether they are told what DMARC made of the mail that came in their name (RFC 9990). */
  dmarc_reports: z.boolean().default(true),
  /** PEM of anchors that certificates of others are checked against beside the built-in ones. */
  ca_file: z.string().default(''),
}).refine(
  ({ smarthost_user: user, smarthost_password_file: file }) => (user === '') === (file === ''),
  'needs both smarthost_user and smarthost_password_file',
)

/** A host name, or all of one level below a domain: `*.example.org`. As A-labels (RFC 8461 §3.2). */
const mxPattern = z.string().transform((text, context) => {
  const [, wildcard, host = ''] = /^(\*\.)?(.*)$/s.exec(text) ?? []
  const name = lookupDomain(host)
  if (name !== undefined) return `${wildcard ?? ''}${name}`
  context.addIssue({ code: 'custom', message: 'is no host name' })
  return z.NEVER
})

/** Our own policy for those who bring mail (RFC 8461), served by the https listener. */
export const ownStsSchema = table({
  mode: z.enum(['enforce', 'testing', 'none']).default('testing'),
  max_age: duration.refine((ms) => ms <= 31_557_600_000, 'is more than the year that RFC 8461 allows').prefault('1w'),
  /** The hosts that MX records may name; absent: this one. */
  mx: z.array(mxPattern).default([]),
})

import { lookupAddress } from '@pennypost/model'
import { z } from 'zod'
import { acmeSchema } from './acme-schema.ts'
import { authSchema } from './auth-schema.ts'
import { count, duration, hostname, ipAddress, loginName, network, size, table } from './fields.ts'
import { policySchema } from './policy-schema.ts'
import { dnsSchema, ownStsSchema, relaySchema } from './relay-schema.ts'

/**
 * `pennypost.toml` as values: every key with its default and its limits, and nothing else. Domains, accounts and aliases
 * are not here: they live in the directory and are changed by verbs. Unknown keys are faults.
 */

export const roles = ['mx', 'submission', 'lmtp', 'relay', 'pop3', 'imap', 'admin'] as const
const services = [
  'smtp',
  'submission',
  'submissions',
  'lmtp',
  'odmr',
  'pop3',
  'pop3s',
  'imap',
  'imaps',
  'http',
  'https',
] as const

const certificate = z.strictObject({ cert: z.string(), key: z.string() })

const listener = z
  .strictObject({
    service: z.enum(services),
    /** IP address; absent with `path`. */
    address: ipAddress.optional(),
    port: z.number().int().min(0).max(65_535).optional(),
    /** Unix socket instead of address and port. */
    path: z.string().optional(),
    /** smtp: offer AUTH here too. */
    auth: z.boolean().default(false),
    /** lmtp beyond loopback: networks that may connect, as `192.0.2.0/24`. */
    trusted: z.array(network).default([]),
    /** Proxies that say whose connection they pass on (PROXY protocol); who comes from there has to. */
    proxy: z.array(network).default([]),
    /** Proxies that say so by XCLIENT and XFORWARD. */
    xclient: z.array(network).default([]),
  })
  .refine(
    ({ path, address, port }) =>
      path === undefined ? address !== undefined && port !== undefined : address === undefined && port === undefined,
    'needs address and port, or a path instead',
  )
  .refine(({ service, port }) => service !== 'lmtp' || port !== 25, 'is lmtp on port 25, which RFC 2033 forbids')
  .refine(({ service, trusted }) => service === 'lmtp' || trusted.length === 0, 'has trusted, which only lmtp knows')
  .refine(({ service, path }) => service !== 'http' || path === undefined, 'has a path, which http does not know')
  .refine(
    ({ service, xclient }) => isOfMail(service) || xclient.length === 0,
    'has xclient, which only smtp, submission, submissions, lmtp and odmr know',
  )
  .refine(
    ({ service, proxy }) => (service !== 'http' && service !== 'https') || proxy.length === 0,
    'has proxy, which http and https do not know',
  )

/** `127.0.0.1:25`, `[::1]:25`, or a path. */
export function placeOf({ path, address = '', port = 0 }: z.output<typeof listener>): string {
  return path ?? `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** Of two at one place only the first could be opened; port 0 lets the system choose. */
function refuseTwice(listeners: readonly z.output<typeof listener>[], context: z.core.$RefinementCtx): void {
  const places = new Set<string>()
  for (const [at, each] of listeners.entries()) {
    const { path, port } = each
    const place = placeOf(each)
    if (path === undefined && port === 0) continue
    if (places.has(place)) {
      const key = path === undefined ? 'port' : 'path'
      context.addIssue({ code: 'custom', path: [at, key], message: `is that of another listener: ${place}` })
    }
    places.add(place)
  }
}

function isOfMail(service: string): boolean {
  return ['smtp', 'submission', 'submissions', 'lmtp', 'odmr'].includes(service)
}

export const configSchema = z.strictObject({
  hostname,
  data_dir: z.string().default('data'),
  roles: z.array(z.enum(roles)).default([...roles]),
  storage: table({
    engine: z.enum(['sqlite']).default('sqlite'),
    /** How large the search index may become; 0: there is none. Absent: as large as it needs to be. */
    search_index: size.optional(),
  }),
  tls: z
    .strictObject({
      cert: z.string().optional(),
      key: z.string().optional(),
      certificate: z.array(certificate).default([]),
      acme: acmeSchema.optional(),
    })
    .refine((value) => (value.cert === undefined) === (value.key === undefined), 'needs both cert and key')
    .optional(),
  listener: z.array(listener).default([]).superRefine(refuseTwice),
  dns: dnsSchema,
  relay: relaySchema,
  mta_sts: ownStsSchema,
  submission: table({
    trusted: z.array(z.strictObject({ address: ipAddress, account: loginName })).default([]),
    /** Whether Received names the address that an author submitted from. */
    show_client: z.boolean().default(false),
    /** What an account may send, by whatever port; 0: any number. */
    messages_per_hour: count.default(0),
    messages_per_day: count.default(0),
    recipients_per_hour: count.default(0),
    recipients_per_day: count.default(0),
  }),
  policy: policySchema,
  auth: authSchema,
  admin: table({
    address: z
      .string()
      .refine(
        (text) => text === '' || lookupAddress(text) !== undefined,
        'is no address; write e.g. "alice@example.org"',
      )
      .default(''),
  }),
  limits: table({
    message_size: size.prefault('50MB'),
    recipients: z.number().int().min(100).default(1000),
    connections: count.default(10_000),
    connections_per_address: count.default(100),
    /** The same at the MX, of whom mail is checked; 0: no less than others. */
    connections_per_stranger: count.default(20),
    connections_per_account: count.default(40),
    auth_failures_per_minute: count.default(10),
  }),
  imap: table({
    /** Capabilities that are not to be there. */
    disable: z.array(z.string()).default([]),
    /** Offer COMPRESS=DEFLATE, which costs memory for each session that uses it. */
    compress: z.boolean().default(false),
  }),
  log: table({
    file: z.string().default(''),
    level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  }),
  journeys: table({ keep: duration.prefault('30d'), transcripts: duration.prefault('7d') }),
})

export type Config = z.output<typeof configSchema>
export type ListenerConfig = Config['listener'][number]

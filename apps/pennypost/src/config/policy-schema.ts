import { isIP } from 'node:net'
import { lookupDomain } from '@pennypost/model'
import { z } from 'zod'
import { count, duration, isAddressPort, network, size, table } from './fields.ts'

/** `[policy]`: what is asked of mail that strangers bring, and what follows from the answers. */

const zoneName = z.string().refine((text) => lookupDomain(text)?.includes('.') === true, 'is no zone of a DNS list')

/** An answer of a list: `127.0.0.2`, or a range in the last octet, `127.0.0.2-11`. */
const answer = z.string().refine(isAnswer, 'is no answer of a list; write e.g. "127.0.0.2", "127.0.0.2-11"')

function isAnswer(text: string): boolean {
  const [, address = '', last] = /^(127\.[\d.]+)(?:-(\d{1,3}))?$/.exec(text) ?? []
  const first = Number(address.split('.')[3])
  return isIP(address) === 4 && (last === undefined || (first <= Number(last) && Number(last) <= 255))
}

const dnsList = z.union([
  zoneName.transform((zone) => ({ zone, answers: [] as string[] })),
  z.strictObject({ zone: zoneName, answers: z.array(answer).min(1) }),
])

/** A program beside the server that looks at content. */
const filter = z.strictObject({
  kind: z.enum(['rspamd', 'clamav', 'http']),
  /** As the journey names it; the kind, unless there are several. */
  name: z.string().min(1).max(40).optional(),
  /** `127.0.0.1:11333`, or the path of a Unix socket. */
  at: z
    .string()
    .refine(
      (text) => text.startsWith('/') || isAddressPort(text),
      'is no address with port and no path; write e.g. "127.0.0.1:11333", "/run/clamav/clamd.ctl"',
    ),
  /** Whose mail it is shown: strangers' (smtp), accounts' (submission), neighbours' (lmtp). */
  services: z
    .array(z.enum(['smtp', 'submission', 'lmtp']))
    .min(1)
    .default(['smtp']),
  timeout: duration.refine((ms) => ms > 0 && ms <= 30_000, 'is not between 0 and "30s"').prefault('10s'),
  /** Larger messages are not shown to it. */
  max_size: size.prefault('25MB'),
  /** http: of the request, and whether it gets the whole content or the header section alone. */
  path: z.string().startsWith('/', 'begins with /').default('/'),
  content: z.boolean().default(false),
  /** rspamd: where its password stands alone. */
  password_file: z.string().default(''),
})

export const policySchema = table({
  require_tls_for_auth: z.boolean().default(true),
  recipient_delimiter: z.string().max(8).default('+'),
  bare_newline: z.enum(['normalize', 'reject']).default('normalize'),

  /** Networks whose mail is not checked at all. Accounts, trusted devices and LMTP never are. */
  exempt: z.array(network).default(['127.0.0.0/8', '::1']),
  /** DNS lists of addresses that send junk: a zone, or a zone with the answers that count. */
  dnsbl: z.array(dnsList).default([]),
  dnsbl_action: z.enum(['accept', 'quarantine', 'reject']).default('reject'),
  /** DNS lists of addresses that no blocking list and no greylist stops. */
  dnswl: z.array(dnsList).default([]),
  /** What a client leads to whose address has no name that leads back. */
  reverse_dns: z.enum(['accept', 'quarantine', 'reject']).default('accept'),
  /** What a client leads to that calls itself by our name. */
  helo: z.enum(['accept', 'quarantine', 'reject']).default('reject'),
  /** What an SPF fail leads to where no DMARC pass makes up for it. It never rejects. */
  spf: z.enum(['accept', 'quarantine']).default('accept'),
  /** `enforce`: what the author's domain asks for; `quarantine`: its reject goes to Junk; `accept`: only recorded. */
  dmarc: z.enum(['accept', 'quarantine', 'enforce']).default('enforce'),
  /** When DNS leaves DMARC open. */
  dmarc_unsettled: z.enum(['accept', 'defer']).default('accept'),
  /** What a message without exactly one author domain leads to. */
  author: z.enum(['accept', 'quarantine', 'reject']).default('quarantine'),

  /** Spam filters, virus scanners, a hook; what follows from what they say, and from their silence. */
  filter: z.array(filter).default([]),
  virus: z.enum(['accept', 'quarantine', 'reject']).default('reject'),
  spam: z.enum(['accept', 'quarantine', 'enforce']).default('enforce'),
  filter_unavailable: z.enum(['accept', 'defer']).default('accept'),

  /** Origins that nobody here knows are told to come again once. */
  greylist: z.boolean().default(false),
  greylist_delay: duration.refine((ms) => ms <= 86_400_000, 'is too long; at most "1d"').prefault('5m'),
  /** How long an origin is known after its last mail. */
  greylist_keep: duration.prefault('35d'),
  /** Messages in an hour: of one reverse-path, for one recipient, from one network. 0: any number. */
  sender_rate: count.default(0),
  recipient_rate: count.default(0),
  network_rate: count.default(0),

  /** Whether what goes on elsewhere of strangers' mail has what was found here under an ARC seal, where the domain has a key. */
  arc_seal: z.boolean().default(true),

  /** How long strangers wait for the banner; who speaks before it is refused. None for loopback and exempt networks. */
  pregreet: duration.refine((ms) => ms <= 30_000, 'is too long; at most "30s"').prefault('0s'),
  /** How long a stranger waits for the reply to an error, longer with each; "0s": not at all. */
  tarpit: duration.refine((ms) => ms <= 30_000, 'is too long; at most "30s"').prefault('1s'),
  /** A bare LF at the end of a command ends the session with "reject". */
  bare_newline_command: z.enum(['accept', 'reject']).default('accept'),
  /** Whom VRFY and EXPN tell what is known. Strangers are told nothing either way. */
  verify: z.enum(['accounts', 'nobody']).default('accounts'),
  /** Octets of a line of content; 0: any number. RFC 5322 §2.1.1 allows 998. */
  longest_line: z
    .number()
    .int()
    .refine((octets) => octets === 0 || octets >= 998, 'is less than the 998 that RFC 5322 allows; 0 is no limit')
    .default(0),
  /** A header with UTF-8 from who did not say SMTPUTF8. */
  undeclared_utf8: z.enum(['accept', 'reject']).default('accept'),
})

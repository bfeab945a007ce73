import { lookupDomain } from '@pennypost/model'
import { z } from 'zod'
import { network, table } from './fields.ts'

/** `[policy]`: what is asked of mail that strangers bring, and what follows from the answers. */

const zoneName = z.string().refine((text) => lookupDomain(text)?.includes('.') === true, 'is no zone of a DNS list')

/** An answer of a list: `127.0.0.2`, or a range in the last octet, `127.0.0.2-11`. */
const answer = z
  .string()
  .regex(
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}(-\d{1,3})?$/,
    'is no answer of a list; write e.g. "127.0.0.2", "127.0.0.2-11"',
  )

const dnsList = z.union([
  zoneName.transform((zone) => ({ zone, answers: [] as string[] })),
  z.strictObject({ zone: zoneName, answers: z.array(answer).min(1) }),
])

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
})

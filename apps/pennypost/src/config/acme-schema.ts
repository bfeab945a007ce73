import { z } from 'zod'
import { hostname, httpUrl, ipAddress } from './fields.ts'

/** `[tls.acme]`: a certificate ordered from an authority, and renewed (RFC 8555, challenge http-01). */
export const acmeSchema = z.strictObject({
  /** The operator has read what the authority asks of its users. */
  accept_terms: z.literal(true, {
    error: 'must be true: the authority issues only to who accepts its terms of service',
  }),
  authority: httpUrl.default('https://acme-v02.api.letsencrypt.org/directory'),
  /** Mail address that the authority may warn; '' = that of `[admin]`. */
  contact: z.union([z.literal(''), z.email()]).default(''),
  /** Names in the certificate; empty: `hostname`, and with an https listener the names of its pages that lead here. */
  names: z.array(hostname).default([]),
  /** Where the authority's question for http-01 is answered while an order runs; it asks on port 80. Absent: everywhere. */
  address: ipAddress.optional(),
  port: z.number().int().min(1).max(65_535).default(80),
  /** The root of a web server that has port 80 and answers in our place; '' = none. */
  web_root: z.string().default(''),
  /** PEM: who vouches for the authority's own server, if it is not one of the public ones. */
  authority_ca: z.string().default(''),
})

import { lookupDomain } from '@pennypost/model'
import { z } from 'zod'
import { duration, ipAddress, table } from './fields.ts'
import { parseHostPort } from './quantity.ts'

/** `[dns]`, `[relay]`, `[mta_sts]`: how mail finds its way out, and what others are told about the way in. */

const hostPort = (port: number) =>
  z.string().refine((text) => text === '' || parseHostPort(text, port) !== undefined, `is no host or host:port`)

const port = z.number().int().min(1).max(65_535)

export const dnsSchema = table({
  servers: z.array(hostPort(53)).default([]),
  /** `trust-ad`: believe these servers when they say that DNSSEC vouches for an answer. Loopback is always believed. */
  dnssec: z.enum(['off', 'trust-ad']).default('off'),
})

export const relaySchema = table({
  port: port.default(25),
  retry: z.array(duration).min(1).prefault(['15m', '15m', '30m', '1h', '2h', '4h']),
  delay_warning: duration.prefault('4h'),
  expire: duration.prefault('5d'),
  smarthost: hostPort(587).default(''),
  /** Account at the smarthost; its password stands alone in `smarthost_password_file`. */
  smarthost_user: z.string().default(''),
  smarthost_password_file: z.string().default(''),
  own_addresses: z.array(ipAddress).default([]),
  /** Attempts at a time, in all and to one destination. */
  concurrency: z.number().int().min(1).max(10_000).default(500),
  per_destination: z.number().int().min(1).max(100).default(20),
  /** Whether the MTA-STS policies of other domains are kept. */
  mta_sts: z.boolean().default(true),
  /** Where they are fetched; anything but 443 is for tests. */
  mta_sts_port: port.default(443),
  /** PEM of anchors that certificates of others are checked against beside the built-in ones. */
  ca_file: z.string().default(''),
})

/** Our own policy for those who bring mail (RFC 8461), served on the http listener. */
export const ownStsSchema = table({
  mode: z.enum(['enforce', 'testing', 'none']).default('testing'),
  max_age: duration.prefault('1w'),
  /** The hosts that MX records may name; absent: this one. */
  mx: z
    .array(z.string().refine((text) => lookupDomain(text.replace(/^\*\./, '')) !== undefined, 'is no host name'))
    .default([]),
})

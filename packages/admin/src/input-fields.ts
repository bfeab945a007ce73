import { lookupAddress, lookupDomain } from '@pennypost/model'
import { z } from 'zod'

/** The fields that inputs of operations are made of: each checks, and gives the form that the directory compares. */

const lookedUp = (lookup: (text: string) => string | undefined, complaint: (text: string) => string) =>
  z.string().transform((text, context) => {
    const written = text.trim()
    const found = /\p{Cc}/u.test(written) ? undefined : lookup(written)
    if (found !== undefined) return found
    context.addIssue({ code: 'custom', message: complaint(text) })
    return z.NEVER
  })

/** A domain as lower-case A-label. */
export const domainName = lookedUp(lookupDomain, (text) => `"${text}" is no domain name; write e.g. one.example`)

/** One that gets mail: other lookups take host names with `_` too, and what looks like an address of the network. */
export const mailDomain = domainName.refine((name) => /^([a-z0-9-]+\.)*[a-z0-9-]*[a-z][a-z0-9-]*$/.test(name), {
  error: ({ input }) => `"${input}" is no domain that gets mail; write e.g. one.example`,
})

const noAddress = (text: string): string => `"${text}" is no address; write e.g. alice@one.example`
const noAddressOrDomain = (text: string): string => `"${text}" is no address; all of a domain is @one.test`

/** `local@domain` in lookup form. */
export const address = lookedUp(lookupAddress, noAddress)

/** An address, or `@domain` for all of a domain. */
export const addressOrDomain = lookedUp(readAddressOrDomain, noAddressOrDomain)

/** One of these, or ''. Of a union's parts zod would say only that none fits. */
export const addressOrNone = lookedUp(orNone(lookupAddress), noAddress)
export const addressDomainOrNone = lookedUp(orNone(readAddressOrDomain), noAddressOrDomain)

function orNone(lookup: (text: string) => string | undefined): (text: string) => string | undefined {
  return (text) => (text === '' ? '' : lookup(text))
}

function readAddressOrDomain(text: string): string | undefined {
  if (!text.startsWith('@')) return lookupAddress(text)
  const domain = lookupDomain(text.slice(1))
  return domain === undefined ? undefined : `@${domain}`
}

/** `host` or `host:port`, the host as A-label; an LMTP store as `lmtp:host:port` or `lmtp:/path/of/socket`. */
export const nextHop = lookedUp(
  (text) => {
    if (/^lmtp:\/[^\0\r\n;]{1,100}$/.test(text)) return text
    const lmtp = text.startsWith('lmtp:') ? 'lmtp:' : ''
    const [, host = '', port] = /^(.*?)(?::(\d{1,5}))?$/.exec(text.slice(lmtp.length)) ?? []
    const name = lookupDomain(host)
    if (name === undefined || (port !== undefined && (Number(port) < 1 || Number(port) > 65_535))) return undefined
    return `${lmtp}${name}${port === undefined ? '' : `:${Number(port)}`}`
  },
  (text) => `"${text}" is no host, host:port, lmtp:host:port or lmtp:/path`,
)

/** Octets; 0 = no limit. */
export const quota = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER)

export const displayName = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}]*$/u, 'a name holds no control characters')

/** Checked further by whoever makes the verifier. */
export const password = z.string().min(1, 'a password may not be empty').max(4096)

/** The word of an IMAP capability, in upper case. */
export const capability = z
  .string()
  .regex(/^[a-z0-9][a-z0-9=_+.:/-]{0,59}$/i, 'a capability is a word such as MOVE or QUOTA=RES-STORAGE')
  .transform((word) => word.toUpperCase())

/** Nothing to say. */
export const nothing = z.strictObject({})

/** How many of these optional fields are given: a caller in this process may name one and leave it undefined. */
export function countGiven(fields: object): number {
  return Object.values(fields).filter((value) => value !== undefined).length
}

import { isIP } from 'node:net'
import { lookupAddress, lookupDomain, plainAddress } from '@pennypost/model'
import { z } from 'zod'
import { parseDuration, parseHostPort, parseSize } from './quantity.ts'

/** Kinds of values that several tables of the configuration have, each with what to say when one is wrong. */

export const duration = z.string().transform((text, context) => {
  const value = parseDuration(text)
  if (value !== undefined) return value
  context.addIssue({ code: 'custom', message: 'is no duration; write e.g. "30s", "15m", "4h", "5d"' })
  return z.NEVER
})

export const size = z.union([z.string(), z.number().int().nonnegative()]).transform((given, context) => {
  const value = typeof given === 'number' ? given : parseSize(given)
  if (value !== undefined) return value
  context.addIssue({ code: 'custom', message: 'is no size; write e.g. "500KB", "50MB", "2GB"' })
  return z.NEVER
})

/** In its one spelling, as it is compared with the addresses of clients; an IPv6 zone stays. */
export const ipAddress = z
  .string()
  .refine((text) => isIP(text) > 0, 'is no IP address')
  .transform((text) => (text.includes('%') ? text : plainAddress(text)))

/** `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. */
export const network = z
  .string()
  .refine(isNetwork, 'is no address or network; write e.g. "192.0.2.1", "10.0.0.0/8", "2001:db8::/32"')

function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 6 ? 128 : 32))
}

/** `127.0.0.1:11333`, `[::1]:53`: nobody is asked what a name means. Without a default the port has to be there. */
export function isAddressPort(text: string, defaultPort = 0): boolean {
  return isIP(parseHostPort(text, defaultPort)?.host ?? '') > 0
}

export const count = z.number().int().nonnegative()

/** An absent table means all of its defaults. */
export const table = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

export const httpUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'is no address of http or https')

/** As logins are looked up. */
export const loginName = z.string().transform((text, context) => {
  const login = lookupAddress(text)
  if (login !== undefined) return login
  context.addIssue({ code: 'custom', message: 'is no address; write e.g. "alice@example.org"' })
  return z.NEVER
})

/** In lower case and A-labels, as it is compared with the names in addresses. */
export const hostname = z.string().transform((text, context) => {
  const name = lookupDomain(text)
  // RFC 5321 §2.3.5: an address is written as a literal, and no mail program or certificate would know it by this.
  if (name !== undefined && isIP(name) === 0) return name
  context.addIssue({ code: 'custom', message: 'is no host name; write e.g. "mail.example.org"' })
  return z.NEVER
})

/**
 * Zones as tests write them down: an origin and rows of text.
 *
 *     zone('one.test', [['@', 'MX', '10 mail'], ['mail', 'A', '192.0.2.1']])
 *
 * A fault in a row throws at once and says which row, so that a scenario never runs with half of its names.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { DnsType } from '@pennypost/model'
import { canonicalName } from './names.ts'

/** What a zone can hold: everything that mail asks for, and the zone's own SOA. */
export type ZoneType = DnsType | 'SOA'

/**
 * Name (relative to the origin, `@` for the origin itself, absolute with a final dot; `*` as first label is a wildcard,
 * RFC 4592), type, data, and a TTL where it differs from the zone's. Data as in a zone file, names in it likewise
 * relative or absolute: `10 mail` (MX), `0 5 25 mail` (SRV), `3 1 1 ab01…` (TLSA). TXT takes the text as it is, without
 * quotes, cut into strings of 255 octets as needed, or a list of the strings.
 */
export type ZoneRow = readonly [name: string, type: DnsType, data: string | readonly string[], ttlSeconds?: number]

/** A record ready to be put into a packet. `name` is canonical. */
export interface ZoneRecord {
  name: string
  type: ZoneType
  ttlSeconds: number
  data: unknown
}

export interface ZoneOptions {
  /** TTL of rows that do not say their own; 300. */
  ttlSeconds?: number
  /** TTL of "there is none" (the SOA's minimum field); 60. */
  negativeTtlSeconds?: number
  /** Whether answers out of this zone bear the AD bit, as if a validating resolver had found its signatures good. */
  authentic?: boolean
}

export interface Zone {
  origin: string
  authentic: boolean
  ttlSeconds: number
  soa: ZoneRecord
  records: readonly ZoneRecord[]
}

/** Makes a zone; its SOA is made up. Throws TypeError naming the row that cannot be. */
export function zone(origin: string, rows: readonly ZoneRow[], options: ZoneOptions = {}): Zone {
  const { ttlSeconds = 300, negativeTtlSeconds = 60, authentic = false } = options
  const top = absoluteName('@', canonicalName(origin) ?? fail(`not a name: ${origin}`))
  const records = rows.map((row) => zoneRecord(top, row, ttlSeconds))
  const data = {
    mname: absoluteName('ns', top),
    rname: absoluteName('hostmaster', top),
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: negativeTtlSeconds,
  }
  return {
    origin: top,
    authentic,
    ttlSeconds,
    soa: { name: top, type: 'SOA', ttlSeconds: negativeTtlSeconds, data },
    records,
  }
}

/** One row as a record. Throws TypeError naming the row. */
export function zoneRecord(origin: string, row: ZoneRow, defaultTtlSeconds: number): ZoneRecord {
  const [name, type, data, ttlSeconds = defaultTtlSeconds] = row
  try {
    return { name: absoluteName(name, origin), type, ttlSeconds, data: readData(origin, type, data) }
  } catch (error) {
    throw new TypeError(`zone ${origin || '.'}, ${name} ${type} ${String(data)}: ${(error as Error).message}`)
  }
}

function readData(origin: string, type: DnsType, data: string | readonly string[]): unknown {
  if (type === 'TXT') return txtStrings(data)
  if (typeof data !== 'string') return fail('only TXT takes a list')
  const fields = data.split(/\s+/)
  const number = (index: number, most: number): number => {
    const value = Number(fields[index])
    return Number.isInteger(value) && value >= 0 && value <= most ? value : fail(`field ${index + 1} is no number`)
  }
  const expect = (count: number): void => void (fields.length === count || fail(`takes ${count} fields`))
  switch (type) {
    case 'A':
      return isIPv4(data) ? data : fail('not an IPv4 address')
    case 'AAAA':
      return isIPv6(data) ? data : fail('not an IPv6 address')
    case 'PTR':
    case 'CNAME':
    case 'NS':
      expect(1)
      return wireName(absoluteName(data, origin))
    case 'MX':
      expect(2)
      return { preference: number(0, 0xffff), exchange: wireName(absoluteName(fields[1]!, origin)) }
    case 'SRV': {
      expect(4)
      const [priority, weight, port] = [number(0, 0xffff), number(1, 0xffff), number(2, 0xffff)]
      return { priority, weight, port, target: wireName(absoluteName(fields[3]!, origin)) }
    }
    case 'TLSA': {
      expect(4)
      const hex = fields[3]!
      if (!/^([0-9a-f]{2})+$/i.test(hex)) fail('the association data is not hex')
      const [usage, selector, matchingType] = [number(0, 255), number(1, 255), number(2, 255)]
      return { usage, selector, matchingType, certificate: Buffer.from(hex, 'hex') }
    }
  }
}

/** RFC 1035 §3.3: a character-string has at most 255 octets. */
function txtStrings(data: string | readonly string[]): Buffer[] {
  if (typeof data !== 'string') {
    const strings = data.map((text) => Buffer.from(text))
    return strings.every((text) => text.length <= 255) ? strings : fail('a string of over 255 octets')
  }
  const octets = Buffer.from(data)
  const strings: Buffer[] = []
  for (let start = 0; start === 0 || start < octets.length; start += 255) {
    strings.push(octets.subarray(start, start + 255))
  }
  return strings
}

/** The canonical absolute form of a name written in a zone. */
function absoluteName(name: string, origin: string): string {
  const text = name === '@' ? origin : name.endsWith('.') || origin === '' ? name : `${name}.${origin}`
  return canonicalName(text) ?? fail(`not a name: ${name}`)
}

/** dns-packet writes the root as '.'. */
function wireName(name: string): string {
  return name === '' ? '.' : name
}

function fail(text: string): never {
  throw new TypeError(text)
}

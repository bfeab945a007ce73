/**
 * A set of zones that can be asked, changed and broken while it is in use: what the zone server and the static resolver
 * answer from. Pure data; no packet, no socket.
 *
 * Never broken: a name that does not exist (NXDOMAIN) and a name without a record of the type (NODATA) are told apart,
 * also for names that exist only because something lies below them (RFC 8020), and wildcards follow RFC 4592 §3.3.1.
 */
import type { DnsType } from '@pennypost/model'
import { createFaultPlan, type FaultPlan } from './fault-plan.ts'
import { canonicalName } from './names.ts'
import { type Zone, type ZoneRecord, type ZoneRow, zone, zoneRecord } from './zone.ts'

/** `nxdomain`, `nodata` and a found answer may all come behind aliases; `authority` is the SOA that goes with "none". */
export interface Lookup {
  code: 'noerror' | 'nxdomain' | 'refused'
  answers: ZoneRecord[]
  authority?: ZoneRecord
  authentic: boolean
}

export interface Zones extends FaultPlan {
  lookup(name: string, type: string): Lookup
  /** Adds the zone, in place of one with the same origin. */
  put(zone: Zone): void
  /** Takes the zone with this origin away. */
  remove(origin: string): void
  /** Makes `data` all that there is of `type` at the absolute `name`; an empty list removes it. */
  set(name: string, type: DnsType, data: readonly ZoneRow[2][], ttlSeconds?: number): void
}

export interface ZonesOptions {
  /**
   * True (the default): answer as a recursive server to which these zones are the whole internet: aliases are followed
   * into other zones, and a name outside all of them does not exist. False: as an authoritative server, which ends at an
   * alias that leads out of the zone and refuses foreign names.
   */
  recursive?: boolean
}

interface Loaded {
  zone: Zone
  /** Every name that exists, those between names included, with its records by type. */
  nodes: Map<string, Map<string, ZoneRecord[]>>
}

const aliasLimit = 16

/** Makes a set of these zones. */
export function createZones(initial: readonly Zone[], { recursive = true }: ZonesOptions = {}): Zones {
  const loaded = new Map<string, Loaded>()
  const outside = zone('', [])

  const put = (added: Zone): void => void loaded.set(added.origin, load(added))
  for (const each of initial) put(each)

  /** The innermost zone that `name` lies in. */
  const zoneOf = (name: string): Loaded | undefined => {
    for (let suffix = name; ; suffix = parentOf(suffix)) {
      const found = loaded.get(suffix)
      if (found || suffix === '') return found
    }
  }

  const lookup = (asked: string, type: string): Lookup => {
    const answers: ZoneRecord[] = []
    const passed = new Set<string>()
    let authentic = true
    let from: Loaded | undefined
    for (let name = asked; ; ) {
      const at = zoneOf(name)
      if (!recursive && from && at !== from) return { code: 'noerror', answers, authentic }
      if (!at && !recursive) return { code: 'refused', answers, authentic: false }
      if (!at) return { code: 'nxdomain', answers, authority: outside.soa, authentic: false }
      authentic &&= at.zone.authentic
      const node = findNode(at, name)
      if (!node) return { code: 'nxdomain', answers, authority: at.zone.soa, authentic }
      const owned = (type === 'SOA' && name === at.zone.origin ? [at.zone.soa] : node.get(type)) ?? []
      answers.push(...owned.map((record) => ({ ...record, name })))
      if (owned.length > 0) return { code: 'noerror', answers, authentic }
      const alias = node.get('CNAME')?.[0]
      if (!alias) return { code: 'noerror', answers, authority: at.zone.soa, authentic }
      answers.push({ ...alias, name })
      passed.add(name)
      name = canonicalName(alias.data as string) ?? ''
      // A loop is handed out as it is: finding it is the client's business.
      if (passed.has(name) || passed.size > aliasLimit) return { code: 'noerror', answers, authentic }
      from = at
    }
  }

  return {
    ...createFaultPlan(),
    lookup,
    put,
    remove: (origin) => void loaded.delete(canonicalName(origin) ?? ''),
    set(name, type, data, ttlSeconds) {
      const owner = canonicalName(name)
      const at = owner === undefined ? undefined : zoneOf(owner)
      if (owner === undefined || !at) throw new TypeError(`in no zone: ${name}`)
      const added = data.map((text) =>
        zoneRecord(at.zone.origin, [`${owner}.`, type, text], ttlSeconds ?? at.zone.ttlSeconds),
      )
      const kept = at.zone.records.filter((record) => record.name !== owner || record.type !== type)
      put({ ...at.zone, records: [...kept, ...added] })
    },
  }
}

function load(zone: Zone): Loaded {
  const nodes: Loaded['nodes'] = new Map([[zone.origin, new Map()]])
  for (const record of zone.records) {
    if (!isWithin(record.name, zone.origin)) throw new TypeError(`${record.name} is not in zone ${zone.origin}`)
    for (let name = record.name; !nodes.has(name); name = parentOf(name)) nodes.set(name, new Map())
    const node = nodes.get(record.name)!
    node.set(record.type, [...(node.get(record.type) ?? []), record])
  }
  return { zone, nodes }
}

/** RFC 4592 §3.3.1: the name itself, or else the wildcard below its closest ancestor that exists. */
function findNode({ nodes }: Loaded, name: string): Map<string, ZoneRecord[]> | undefined {
  const own = nodes.get(name)
  if (own) return own
  let encloser = name
  do encloser = parentOf(encloser)
  while (!nodes.has(encloser))
  return nodes.get(encloser === '' ? '*' : `*.${encloser}`)
}

function parentOf(name: string): string {
  const dot = name.indexOf('.')
  return dot < 0 ? '' : name.slice(dot + 1)
}

function isWithin(name: string, origin: string): boolean {
  return origin === '' || name === origin || name.endsWith(`.${origin}`)
}

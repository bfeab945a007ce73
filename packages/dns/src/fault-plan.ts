/** What goes wrong with queries for zones, by plan, and how often each question was asked. Part of `Zones`. */
import type { DnsType } from '@pennypost/model'
import { canonicalName } from './names.ts'

/** What goes wrong with a query. `drop`: no answer. `truncate`: TC over UDP, so that the client comes by TCP. */
export type Fault =
  | { kind: 'servfail' | 'refused' | 'drop' | 'truncate' }
  /** The answer goes out when `until()` has resolved: `{ kind: 'delay', until: () => sleepOnMyClock(3000) }`. */
  | { kind: 'delay'; until: () => Promise<void> }

export interface FaultScope {
  /** Only queries for this type. */
  type?: DnsType
  /** Only the next so many of them. */
  times?: number
}

export interface FaultPlan {
  /** From now on queries for `name` (`*`: for every name) meet this fault; undefined ends it. The last one set counts. */
  fault(name: string, fault: Fault | undefined, scope?: FaultScope): void
  /** Counts a query and returns the fault that it meets. Called by those who answer. */
  meet(name: string, type: string): Fault | undefined
  /** How many queries came for `name`, of `type` or of any. */
  asked(name: string, type?: DnsType): number
}

/** Distinct questions counted; a long fuzz run must not fill the memory. */
const countLimit = 100_000

/** Makes a plan without a fault. */
export function createFaultPlan(): FaultPlan {
  const faults = new Map<string, { fault: Fault; type: DnsType | undefined; left: number }>()
  const counts = new Map<string, number>()
  return {
    fault(name, fault, scope = {}) {
      const key = name === '*' ? name : (canonicalName(name) ?? name)
      if (fault) faults.set(key, { fault, type: scope.type, left: scope.times ?? Number.POSITIVE_INFINITY })
      else faults.delete(key)
    },
    meet(name, type) {
      for (const key of [name, `${type} ${name}`]) {
        const count = counts.get(key)
        if (count !== undefined || counts.size < countLimit) counts.set(key, (count ?? 0) + 1)
      }
      for (const key of [name, '*']) {
        const planned = faults.get(key)
        if (!planned || planned.left <= 0 || (planned.type && planned.type !== type)) continue
        planned.left--
        return planned.fault
      }
      return undefined
    },
    asked(name, type) {
      const key = canonicalName(name) ?? name
      return counts.get(type ? `${type} ${key}` : key) ?? 0
    },
  }
}

import type { DnsAnswer, DnsRecords, DnsType, Resolver } from '@pennypost/model'

/** `name TYPE` → its records, or what asking ends with. */
export type Script = Record<string, readonly unknown[] | 'failed' | 'silent'>

export interface ScriptedResolver extends Resolver {
  /** All questions so far, as `name TYPE`. */
  readonly asked: string[]
}

/** A resolver that knows the script and nothing else; a name with any record exists for all types. */
export function scriptedResolver(script: Script): ScriptedResolver {
  const asked: string[] = []
  return {
    asked,
    query<T extends DnsType>(name: string, type: T, signal?: AbortSignal): Promise<DnsAnswer<T>> {
      const key = `${name.toLowerCase().replace(/\.$/, '')} ${type}`
      asked.push(key)
      const entry = script[key]
      if (entry === 'silent') {
        return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      }
      if (entry === 'failed') return Promise.resolve({ status: 'failed', reason: `${key}: SERVFAIL` })
      const rest = { ttlSeconds: 60, authentic: false }
      if (entry) return Promise.resolve({ status: 'found', records: entry as DnsRecords[T][], ...rest })
      const bare = key.slice(0, -type.length - 1)
      const exists = Object.keys(script).some(
        (known) => known.startsWith(`${bare} `) || known.split(' ')[0]!.endsWith(`.${bare}`),
      )
      return Promise.resolve({ status: exists ? 'nodata' : 'nxdomain', ...rest })
    },
  }
}

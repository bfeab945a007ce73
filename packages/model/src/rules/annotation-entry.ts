/**
 * Names of annotations (RFC 5464 §3.2): known in any case and kept in lower case; under `/private` each account has its
 * own, under `/shared` there is one for all.
 */
export const annotationLimits = {
  /** Octets of one value. */
  octets: 16 * 1024,
  /** Characters of one name. */
  name: 255,
  /** Components of one name. */
  depth: 32,
} as const

/** The name as kept, or undefined when it is not allowed. */
export function annotationEntry(name: string): string | undefined {
  const entry = name.toLowerCase()
  if (entry.length > annotationLimits.name || !/^\/(private|shared)\//.test(entry)) return undefined
  if (/[^\x20-\x7e]|[*%]|\/\/|\/$/.test(entry)) return undefined
  return entry.split('/').length - 1 <= annotationLimits.depth ? entry : undefined
}

export function isPrivateEntry(entry: string): boolean {
  return entry.startsWith('/private/')
}

/**
 * What an address stands for in the directory: one step, without following anything. Used by the expansion of
 * recipients and by the question who may send as whom, so that both see the same addresses.
 *
 * Order: the address as it is, then with its detail removed (`recipient_delimiter`), the longest base first.
 */
import { type Account, type Alias, type Directory, type Domain, lookupDomain, lookupLocalPart } from '@pennypost/model'

/** Which addresses are ours. */
export interface LocateOptions {
  directory: Directory
  /** Our own name: its postmaster is ours though it be no mail domain. In lookup form. */
  hostname: string
  /** Domain literals that mean this host, such as `[192.0.2.1]`; they count as the hostname. */
  ownLiterals: readonly string[]
  /** Each character of it separates a local part from its detail; '' for no details. */
  recipientDelimiter: string
}

/** What stands at an address. */
export type Place =
  | { kind: 'account'; account: Account }
  /** An account that was removed and may come back. */
  | { kind: 'removed' }
  | { kind: 'alias'; alias: Alias }
  /**
   * In a domain of ours, but nobody. `domain` is absent for the bare hostname, and for an alias domain that leads nowhere.
   * `base`: without detail, in lookup form.
   */
  | { kind: 'nobody'; domain?: Domain; base: string }
  | { kind: 'outside'; nextHop?: string; verify?: true }

/** A local part full of delimiters is not tried at each of them. */
const detailLimit = 4

export type Locate = (localPart: string, domain: string) => Promise<Place>

/** Makes the function that locates addresses. `domain` is as written; '' is our hostname. */
export function createLocate({ directory, hostname, ownLiterals, recipientDelimiter }: LocateOptions): Locate {
  const ownDomains = new Set(ownLiterals.map((literal) => literal.toLowerCase()))

  /** The domain's names, itself first and then the local domain that it is an alias of; no names: none of ours. */
  const resolveDomain = async (written: string): Promise<{ names: string[]; domain: Domain | undefined }> => {
    const own = written === '' || ownDomains.has(written.toLowerCase())
    const name = own ? hostname : lookupDomain(written)
    const domain = name === undefined ? undefined : await directory.domain(name)
    if (name === undefined || (!domain && name !== hostname)) return { names: [], domain }
    if (domain?.kind !== 'alias') return { names: [name], domain }
    const target = await directory.domain(domain.target)
    return { names: [name, domain.target], domain: target?.kind === 'local' ? target : undefined }
  }

  const lookUp = async (base: string, names: readonly string[]): Promise<Place | undefined> => {
    for (const name of names) {
      const address = `${lookupLocalPart(base)}@${name}`
      const account = await directory.accountByLogin(address)
      if (account?.removedAt === null) return { kind: 'account', account }
      const alias = await directory.alias(address)
      if (alias) return { kind: 'alias', alias }
      if (account) return { kind: 'removed' }
    }
    return undefined
  }

  return async (localPart, written) => {
    const { names, domain } = await resolveDomain(written)
    if (names.length === 0) return { kind: 'outside' }
    if (domain?.kind === 'relay') {
      return { kind: 'outside', nextHop: domain.target, ...(domain.verifyRecipients ? { verify: true } : {}) }
    }
    const bases = basesOf(localPart, recipientDelimiter)
    if (domain) {
      for (const base of bases) {
        const place = await lookUp(base, names)
        if (place) return place
      }
    }
    const base = lookupLocalPart(bases.at(-1)!)
    return domain ? { kind: 'nobody', domain, base } : { kind: 'nobody', base }
  }
}

/** Whether mail for the domain ends here: our own host name, a local domain, or an alias of one. */
export async function isOurs(
  domain: string,
  { directory, hostname }: Pick<LocateOptions, 'hostname'> & { directory: Pick<Directory, 'domain'> },
): Promise<boolean> {
  const name = lookupDomain(domain)
  const known = name === undefined ? undefined : await directory.domain(name)
  return name === hostname || known?.kind === 'local' || known?.kind === 'alias'
}

/** Names that a local part may stand for: the whole, then without ever longer details (delimiters are ASCII). */
export function basesOf(localPart: string, delimiters: string): string[] {
  const bases: string[] = []
  for (let at = 1; at < localPart.length && bases.length < detailLimit; at++) {
    if (delimiters.includes(localPart.charAt(at))) bases.push(localPart.slice(0, at))
  }
  return [localPart, ...bases.reverse()]
}

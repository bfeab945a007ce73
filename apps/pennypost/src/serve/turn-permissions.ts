import { type Directory, lookupDomain } from '@pennypost/model'
import { networks, type ReceptionOptions } from '@pennypost/reception'
import type { Config } from '../config/schema.ts'

/** Who may start which domain's queue by ETRN; undefined when nobody may, and then it is not offered. */
export function turnPermissions(
  config: Config,
  directory: Pick<Directory, 'domain'>,
  destination: (domain: string, nextHop?: string) => string,
): ReceptionOptions['mayTurn'] {
  if (config.policy.etrn.length === 0) return undefined
  const permissions = config.policy.etrn.map((entry) => ({
    domain: lookupDomain(entry.domain),
    isFrom: networks(entry.networks),
    accounts: new Set(entry.accounts.map((account) => account.toLowerCase())),
  }))
  return async (node, { address, account }) => {
    const domain = lookupDomain(node)
    const isAllowed = permissions.some(
      (entry) =>
        entry.domain === domain &&
        (entry.isFrom(address) || (account !== undefined && entry.accounts.has(account.login))),
    )
    if (domain === undefined || !isAllowed) return undefined
    const known = await directory.domain(domain)
    return [destination(domain, known?.kind === 'relay' ? known.target : undefined)]
  }
}

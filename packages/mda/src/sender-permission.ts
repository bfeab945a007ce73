/**
 * Who may send as whom: the account's own address, with any detail and in alias domains of its domain; aliases that lead
 * to it; and what was granted (`sendAs`: an address, or `@domain` for all of one). Asked for the reverse-path and each
 * From address on submission.
 */
import { type Account, type Directory, lookupDomain, lookupLocalPart } from '@pennypost/model'
import { basesOf } from './locate.ts'
import type { AddressPath, Mda } from './mda.ts'

export interface SenderPermissionOptions {
  directory: Directory
  recipientDelimiter: string
  /** Whether mail to the address reaches the account by name or by alias. */
  reaches(address: AddressPath, account: Account): Promise<boolean>
}

/** Makes `maySend` over a directory. */
export function createMaySend({ directory, recipientDelimiter, reaches }: SenderPermissionOptions): Mda['maySend'] {
  return async (account, address) => {
    if (account.removedAt !== null) return false
    if (await reaches(address, account)) return true
    const grants = await directory.sendAs(account.id)
    const domain = grants.length > 0 ? lookupDomain(address.domain) : undefined
    if (domain === undefined) return false
    const own = await directory.domain(domain)
    const names = own?.kind === 'alias' ? [domain, own.target] : [domain]
    const bases = basesOf(address.localPart, recipientDelimiter)
    return names.some(
      (name) =>
        grants.includes(`@${name}`) || bases.some((base) => grants.includes(`${lookupLocalPart(base)}@${name}`)),
    )
  }
}

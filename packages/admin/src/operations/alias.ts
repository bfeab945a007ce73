/** Aliases: addresses that stand for others, here or elsewhere. */
import { createLocate } from '@pennypost/mda'
import { type Account, type Directory, splitAddress } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, domainName } from '../input-fields.ts'
import { operation } from '../operation.ts'

const targetLimit = 1000
/** So many addresses are looked at for a circle. */
const circleLimit = 10_000

export const aliasAdd = operation({
  name: 'alias.add',
  kind: 'change',
  input: z
    .strictObject({
      address,
      targets: z.array(address).min(1).max(targetLimit),
      /** Take the place of an alias that is there. */
      replace: z.boolean().default(false),
    })
    .refine(({ address: of, targets }) => !targets.includes(of), 'an alias does not go to itself'),
  async run(context, { address: of, targets, replace }) {
    const { directory } = context.store
    const present = await directory.alias(of)
    if (present && !replace) {
      const advice = `It goes to ${present.targets.join(', ')}; --replace takes the new targets instead.`
      throw new AdminError('exists', `The alias ${of} exists.`, advice)
    }
    const account = await directory.accountByLogin(of)
    if (account?.removedAt === null) {
      const advice = 'Mail goes to the one or the other: remove the account first, or take another name for the alias.'
      throw new AdminError('exists', `${of} is an account.`, advice)
    }
    const unique = [...new Set(targets)]
    await directory.putAlias({ address: of, targets: unique })
    // Not refused: aliases and accounts may be made in any order.
    return {
      address: of,
      targets: unique,
      unknownTargets: await nobodys(context, unique),
      circle: await circleOf(directory, of, unique),
    }
  },
})

/**
 * The aliases over which one leads back to itself, it first and last; empty where none does. Not refused: a way beside the
 * circle may lead to somebody, and who swaps two aliases has one for a moment.
 */
async function circleOf(directory: Directory, address: string, targets: readonly string[]): Promise<string[]> {
  const cameFrom = new Map(targets.map((target) => [target, address]))
  // What is added while it is gone through is gone through too; each once, so that it ends.
  for (const [target] of cameFrom) {
    if (cameFrom.size > circleLimit) return []
    for (const next of (await directory.alias(target))?.targets ?? []) {
      if (next === address) return [...wayTo(target, cameFrom), address]
      if (!cameFrom.has(next)) cameFrom.set(next, target)
    }
  }
  return []
}

function wayTo(target: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [target]
  for (let at = cameFrom.get(target); at !== undefined; at = cameFrom.get(at)) way.unshift(at)
  return way
}

/** What stands at an address, as mail finds it; undefined for what is none. */
function locateOf({ store: { directory }, installation: { hostname, recipientDelimiter } }: AdminContext) {
  const locate = createLocate({ directory, hostname, ownLiterals: [], recipientDelimiter })
  return async (address: string) => {
    const parts = splitAddress(address)
    return parts && locate(parts.localPart, parts.domain)
  }
}

/** The account that mail for an address comes to, or the first of several; undefined where it comes to none. */
export async function accountAt(context: AdminContext, address: string): Promise<Account | undefined> {
  const locate = locateOf(context)
  // What is added while it is gone through is gone through too; each once, so that it ends.
  const way = new Set([address])
  for (const each of way) {
    const place = await locate(each)
    if (place?.kind === 'account') return place.account
    if (place?.kind !== 'alias' || way.size > circleLimit) continue
    for (const target of place.alias.targets) way.add(target)
  }
  return undefined
}

/** Those of the addresses that are in a local domain, and neither an account nor an alias. */
export async function nobodys(context: AdminContext, addresses: readonly string[]): Promise<string[]> {
  const locate = locateOf(context)
  const found: string[] = []
  for (const each of addresses) {
    const place = await locate(each)
    if (place?.kind === 'nobody' || place?.kind === 'removed') found.push(each)
  }
  return found
}

export const aliasList = operation({
  name: 'alias.list',
  kind: 'read',
  input: z.strictObject({ domain: domainName.optional(), target: address.optional() }),
  async run({ store: { directory } }, { domain, target }) {
    if (target === undefined) return directory.aliases(domain)
    const aliases = await directory.aliasesTo(target)
    return domain === undefined ? aliases : aliases.filter((alias) => alias.address.endsWith(`@${domain}`))
  },
})

export const aliasRemove = operation({
  name: 'alias.remove',
  kind: 'change',
  input: z.strictObject({ address }),
  async run({ store: { directory } }, { address: of }) {
    await directory.removeAlias(of)
    return { address: of }
  },
})

/**
 * Domains: those whose mail is here, other names of them, and those that this server takes mail for and hands on.
 * postmaster@, abuse@ and mailer-daemon@ of each reach the administrator without anything stored (`@pennypost/mda`
 * does it where no account or alias has the address), so adding a domain needs no second step.
 */
import { defaultSelectors, dkimRecords, generateKeys } from '@pennypost/message-auth'
import { type Directory, type Domain, domainOf } from '@pennypost/model'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { address, addressOrNone, domainName, mailDomain, nextHop, nothing } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { unhurried } from '../unhurried.ts'
import { nobodys } from './alias.ts'

export const domainAdd = operation({
  name: 'domain.add',
  kind: 'change',
  input: z
    .strictObject({
      name: mailDomain,
      aliasOf: domainName.optional(),
      relayTo: nextHop.optional(),
      verifyRecipients: z.boolean().optional(),
      catchAll: address.optional(),
    })
    .refine((input) => !(input.aliasOf && input.relayTo), 'a domain is either an alias or relayed, not both')
    .refine(
      (input) => !(input.catchAll && (input.aliasOf || input.relayTo)),
      'a catch-all is for domains with accounts',
    )
    .refine(
      ({ verifyRecipients, relayTo }) => !verifyRecipients || relayTo !== undefined,
      'recipients are verified where mail is handed on',
    ),
  async run(context, { name, aliasOf, relayTo, verifyRecipients = false, catchAll }) {
    const { directory } = context.store
    if (aliasOf !== undefined) await mustBeLocal(context, aliasOf)
    const kind = aliasOf !== undefined ? 'alias' : relayTo !== undefined ? 'relay' : 'local'
    const domain: Domain = { name, kind, target: aliasOf ?? relayTo ?? '', catchAll: catchAll ?? '', verifyRecipients }
    if (await directory.domain(name)) throw new AdminError('exists', `The domain ${name} exists.`)
    // First, so that no domain ever sends unsigned; mail from a relayed one is signed by its own server.
    if (kind !== 'relay') await ensureKeys(context, name)
    await directory.addDomain(domain)
    const hasPostmaster = context.installation.administrator !== '' || !!(await directory.firstAdministrator())
    const unknownTargets = await nobodys(context, catchAll === undefined ? [] : [catchAll])
    return { ...domain, hasPostmaster, unknownTargets }
  },
})

export const domainSet = operation({
  name: 'domain.set',
  kind: 'change',
  input: z
    .strictObject({
      name: domainName,
      /** '' takes it back. */
      catchAll: addressOrNone.optional(),
      relayTo: nextHop.optional(),
      verifyRecipients: z.boolean().optional(),
    })
    .refine(
      ({ name: _, ...change }) => Object.values(change).some((value) => value !== undefined),
      'nothing to change',
    ),
  async run(context, { name, catchAll, relayTo, verifyRecipients }) {
    const { directory } = context.store
    const domain = await findDomain(directory, name)
    if (catchAll !== undefined && domain.kind !== 'local') {
      const advice = domain.kind === 'alias' ? `Set it for ${domain.target}.` : 'Whoever has its mail decides that.'
      throw new AdminError('not-allowed', `${name} has no accounts of its own.`, advice)
    }
    if ((relayTo !== undefined || verifyRecipients !== undefined) && domain.kind !== 'relay') {
      throw new AdminError(
        'not-allowed',
        `The mail of ${name} is not handed on.`,
        'A domain stays what it was added as.',
      )
    }
    const change = {
      ...(catchAll === undefined ? {} : { catchAll }),
      ...(relayTo === undefined ? {} : { target: relayTo }),
      ...(verifyRecipients === undefined ? {} : { verifyRecipients }),
    }
    await directory.updateDomain(name, change)
    return {
      ...domain,
      ...change,
      unknownTargets: await nobodys(context, catchAll ? [catchAll] : []),
      waitsFor: relayTo === undefined ? '' : await leftBehind(context, domain.target, relayTo),
    }
  },
})

/** The former next hop, as the queue has it, where mail waits for it, which goes there until it is redirected; else ''. */
async function leftBehind({ store, nextHopKey }: AdminContext, before: string, now: string): Promise<string> {
  const destination = nextHopKey(before)
  if (destination === undefined || destination === nextHopKey(now)) return ''
  for await (const page of store.queue.list({ destination })) if (page.length > 0) return destination
  return ''
}

/** Rejects with `not-found`. */
export async function findDomain(directory: Directory, name: string): Promise<Domain> {
  const domain = await directory.domain(name)
  if (domain) return domain
  const advice = `\`pennypost domain list\` shows all, \`pennypost domain add ${name}\` adds it.`
  throw new AdminError('not-found', `There is no domain ${name}.`, advice)
}

async function mustBeLocal({ store }: AdminContext, name: string): Promise<void> {
  const target = await store.directory.domain(name)
  if (target?.kind === 'local') return
  const text = target ? `${name} is not a domain with accounts of its own` : `There is no domain ${name}`
  throw new AdminError('not-found', `${text}.`, '`pennypost domain list` shows the domains that there are.')
}

/** An RSA and an Ed25519 key, unless the domain has keys, whose public halves may be in the DNS. */
async function ensureKeys({ installation, clock }: AdminContext, name: string): Promise<void> {
  const { dkimDirectory } = installation
  if ((await dkimRecords(dkimDirectory, name)).length > 0) return
  await generateKeys(dkimDirectory, name, defaultSelectors(clock.now()))
}

export const domainList = operation({
  name: 'domain.list',
  kind: 'read',
  input: nothing,
  async run({ store: { directory } }) {
    const [domains, accounts, aliases] = await Promise.all([
      directory.domains(),
      directory.accounts(),
      directory.aliases(),
    ])
    const present = accounts.filter(({ removedAt }) => removedAt === null)
    const accountsIn = await countByDomain(present.map(({ login }) => login))
    const aliasesIn = await countByDomain(aliases.map(({ address: of }) => of))
    return domains.map((domain) => ({
      ...domain,
      accounts: accountsIn.get(domain.name) ?? 0,
      aliases: aliasesIn.get(domain.name) ?? 0,
    }))
  },
})

async function countByDomain(addresses: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for await (const each of unhurried(addresses, 1000)) {
    const domain = domainOf(each)
    counts.set(domain, (counts.get(domain) ?? 0) + 1)
  }
  return counts
}

export const domainShow = operation({
  name: 'domain.show',
  kind: 'read',
  input: z.strictObject({ name: domainName }),
  async run(context, { name }) {
    const { directory } = context.store
    const domain = await findDomain(directory, name)
    const accounts = await directory.accounts(name)
    const aliases = await directory.aliases(name)
    return {
      ...domain,
      accounts: accounts.map(({ login, suspended, removedAt }) => ({ login, suspended, removedAt })),
      aliases,
      aliasDomains: (await directory.domains())
        .filter((other) => other.kind === 'alias' && other.target === name)
        .map((other) => other.name),
    }
  },
})

export const domainRemove = operation({
  name: 'domain.remove',
  kind: 'change',
  input: z.strictObject({ name: domainName }),
  async run({ store: { directory } }, { name }) {
    const accounts = await directory.accounts(name)
    const aliases = await directory.aliases(name)
    if (accounts.length + aliases.length > 0) {
      const removed = accounts.filter(({ removedAt }) => removedAt !== null).length
      const kept = removed > 0 ? ` (${removed} of them removed, but still to be restored)` : ''
      throw new AdminError(
        'not-allowed',
        `Still in ${name}: accounts ${accounts.length}${kept}, aliases ${aliases.length}.`,
        'Remove those first; a removed account is gone for good after 30 days.',
      )
    }
    const [other] = (await directory.domains()).filter(({ kind, target }) => kind === 'alias' && target === name)
    if (other) throw new AdminError('not-allowed', `${other.name} is an alias of ${name}.`, 'Remove that first.')
    await directory.removeDomain(name)
    return { name }
  },
})

/** DKIM keys: which there are and whether the world can look them up, a new pair, and the end of an old one. */
import { type DkimRecord, dkimRecords, freshSelectors, generateKeys, retireKey } from '@pennypost/message-auth'
import { z } from 'zod'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { dkimKeyIn } from '../dns-check.ts'
import { domainName } from '../input-fields.ts'
import { operation } from '../operation.ts'
import { findDomain } from './domain.ts'

interface ListedKey extends DkimRecord {
  domain: string
  /** `unknown`: the DNS gave no answer. */
  published: 'yes' | 'no' | 'different' | 'unknown'
}

export const dkimList = operation({
  name: 'dkim.list',
  kind: 'read',
  input: z.strictObject({ domain: domainName.optional() }),
  async run(context, { domain }, { signal }) {
    const domains = domain === undefined ? (await context.store.directory.domains()).map(({ name }) => name) : [domain]
    const keys: ListedKey[] = []
    for (const name of domains) keys.push(...(await keysOf(context, name, signal)))
    // The keys of a domain that was removed are there still.
    if (domain !== undefined && keys.length === 0) await findDomain(context.store.directory, domain)
    return keys
  },
})

async function keysOf(context: AdminContext, domain: string, signal: AbortSignal): Promise<ListedKey[]> {
  const keys: ListedKey[] = []
  for (const record of await dkimRecords(context.installation.dkimDirectory, domain)) {
    const answer = await context.resolver.query(record.name, 'TXT', signal)
    const published =
      answer.status === 'failed'
        ? 'unknown'
        : answer.status !== 'found'
          ? 'no'
          : answer.records.some((text) => dkimKeyIn(text) === dkimKeyIn(record.value))
            ? 'yes'
            : 'different'
    keys.push({ domain, ...record, published })
  }
  return keys
}

export const dkimRotate = operation({
  name: 'dkim.rotate',
  kind: 'change',
  input: z.strictObject({ domain: domainName }),
  async run(context, { domain }, { signal }) {
    const { kind } = await findDomain(context.store.directory, domain)
    const { dkimDirectory } = context.installation
    const before = await dkimRecords(dkimDirectory, domain)
    // Of a domain that is handed on, the server behind may well name its keys as we do.
    const isTaken = async (selector: string): Promise<boolean> =>
      (await context.resolver.query(`${selector}._domainkey.${domain}`, 'TXT', signal)).status === 'found'
    const selectors = await freshSelectors(dkimDirectory, domain, context.clock.now(), isTaken)
    await generateKeys(dkimDirectory, domain, selectors)
    const isNew = ({ selector }: DkimRecord): boolean => selectors.some(({ name }) => name === selector)
    const publish = (await dkimRecords(dkimDirectory, domain)).filter(isNew)
    return { domain, kind, publish, old: before.map(({ selector }) => selector) }
  },
})

export const dkimRetire = operation({
  name: 'dkim.retire',
  kind: 'change',
  input: z.strictObject({
    domain: domainName,
    selector: z.string().regex(/^[a-z0-9-]{1,63}$/, 'is no selector'),
    /** Also when no other key of the domain is known to be published. */
    force: z.boolean().default(false),
  }),
  async run(context, { domain, selector, force }, { signal }) {
    const keys = await keysOf(context, domain, signal)
    const key = keys.find((each) => each.selector === selector)
    if (!key) throw new AdminError('not-found', `${domain} has no key ${selector}.`, '`pennypost dkim list` shows all.')
    const others = keys.filter((each) => each !== key)
    if (others.length === 0) {
      throw new AdminError(
        'not-allowed',
        `${selector} is the last key of ${domain}: its mail would not be signed.`,
        `\`pennypost dkim rotate ${domain}\` makes new ones.`,
      )
    }
    if (!force && !others.some(({ published }) => published === 'yes')) {
      throw new AdminError(
        'not-allowed',
        `No other key of ${domain} is published: nobody could verify its mail.`,
        'Publish the records that `pennypost dkim list` shows, and wait until the DNS has them; or `--force`.',
      )
    }
    await retireKey(context.installation.dkimDirectory, domain, selector)
    return { domain, selector, record: key.name }
  },
})

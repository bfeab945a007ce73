import {
  type Account,
  type Alias,
  accountId,
  type Clock,
  type Directory,
  type Domain,
  type PolicyMemory,
} from '@pennypost/model'
import { createMda, type MdaOptions } from '../src/expand.ts'
import type { AddressPath, Delivery, ExpandContext } from '../src/mda.ts'
import { createSrs } from '../src/srs.ts'

/** Who lives in the little world of these tests. */
export interface World {
  domains?: readonly Partial<Domain>[]
  accounts?: readonly (string | Partial<Account>)[]
  aliases?: Readonly<Record<string, readonly string[]>>
  sendAs?: Readonly<Record<string, readonly string[]>>
  /** Octets in use, by login. */
  usage?: Readonly<Record<string, number>>
  /** Addresses that have sent. */
  sent?: readonly string[]
}

/** The lookups of a directory over a world; ids count from 1 in order of the accounts. */
export function smallDirectory(world: World) {
  const domains = (world.domains ?? [{ name: 'one.test' }]).map(
    (domain): Domain => ({ name: '', kind: 'local', target: '', catchAll: '', verifyRecipients: false, ...domain }),
  )
  const accounts = (world.accounts ?? []).map((given, at): Account => {
    const account = typeof given === 'string' ? { login: given } : given
    const rest = {
      login: '',
      name: '',
      quota: 0,
      suspended: false,
      admin: false,
      copySent: false,
      createdAt: 0,
      disabledCapabilities: [],
      removedAt: null,
    }
    return { ...rest, id: accountId(at + 1), ...account }
  })
  const lookups = {
    version: 1,
    domains: async () => domains,
    domain: async (name: string) => domains.find((domain) => domain.name === name),
    accountByLogin: async (login: string) => accounts.find((account) => account.login === login),
    firstAdministrator: async () => {
      const present = accounts.filter((account) => account.removedAt === null)
      return present.find((account) => account.admin) ?? present[0]
    },
    alias: async (address: string): Promise<Alias | undefined> => {
      const targets = world.aliases?.[address]
      return targets && { address, targets }
    },
    usage: async (id: number) => ({ octets: world.usage?.[accounts[id - 1]!.login] ?? 0, messages: 0 }),
    sendAs: async (id: number) => [...(world.sendAs?.[accounts[id - 1]!.login] ?? [])],
  }
  return { directory: lookups as Partial<Directory> as Directory, accounts }
}

export const nowMs = Date.UTC(2026, 5, 1)
const clock = { now: () => nowMs } as Partial<Clock> as Clock
export const srs = createSrs({ secrets: [Buffer.from('0123456789abcdef')] })

/** The MDA of mail.one.test over a world. */
export function mdaOf(world: World, options: Partial<MdaOptions> = {}) {
  const { directory, accounts } = smallDirectory(world)
  const memory: Pick<PolicyMemory, 'recall'> = {
    recall: async (kind, key) =>
      kind === 'sent' && world.sent?.includes(key) ? { value: '', count: 1, firstAt: 0, lastAt: 0 } : undefined,
  }
  const mda = createMda({
    directory,
    hostname: 'mail.one.test',
    ownLiterals: ['[192.0.2.1]'],
    recipientDelimiter: '+',
    srs,
    clock,
    memory,
    administrator: '',
    ...options,
  })
  const expand = (address: string, context: Partial<ExpandContext> = {}) =>
    mda.expand(path(address), { reversePath: 'sender@far.test', size: 0, mayRelay: false, ...context })
  return {
    mda,
    accounts,
    expand,
    /** The reply's codes, or who gets it: `#1` is an account. */
    async outcome(address: string, context: Partial<ExpandContext> = {}): Promise<string> {
      const expansion = await expand(address, context)
      if (expansion.kind === 'refused') return `${expansion.reply.code} ${expansion.reply.enhanced}`
      return expansion.deliveries.map(inShort).join(' ')
    },
  }
}

function inShort(delivery: Delivery): string {
  if (delivery.kind === 'relay')
    return delivery.nextHop ? `${delivery.forwardPath}>${delivery.nextHop}` : delivery.forwardPath
  return `#${delivery.account}${delivery.later ? ' later' : ''}`
}

/** As the wire's parser gives it; for local parts without quotes. */
export function path(address: string): AddressPath {
  const at = address.lastIndexOf('@')
  if (at < 0) return { text: address, localPart: address, domain: '' }
  return { text: address, localPart: address.slice(0, at), domain: address.slice(at + 1) }
}

import { type AccountId, isAmongOthers, type Mailbox, othersMailbox, systemFlags, UidSet } from '@pennypost/model'
import { sharedMailboxes } from '../access/find-mailbox.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import type { Extension } from '../extension.ts'
import { printMailbox, spMailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { utf8 } from '../wire/cursor.ts'
import { printAString } from '../wire/strings.ts'

/**
 * What an account uses and may use (RFC 9208). There is one quota root for each account: one's own, and that of whoever
 * shares a mailbox that one may read. Limits are the administration's, so there is no QUOTASET. Without the service's
 * option `usage` the extension is not there.
 */
export interface AccountUsage {
  /** Octets of all copies, RFC822.SIZE each. */
  octets: number
  messages: number
  /** 0 = no limit. */
  octetLimit: number
  /** 0 = no limit. */
  messageLimit: number
}

export type UsageOf = (account: AccountId) => Promise<AccountUsage>

const ownRoot = 'Account'

/** The quota root of an account: a name for its owner, and for others. */
interface Root {
  name: string
  account: AccountId
}

function sharedRoot({ name, account }: VisibleMailbox): Root {
  return { name: `${ownRoot}/${othersMailbox(name)?.login ?? ''}`, account }
}

function printRoot(session: Session, { name }: Root): string {
  return printAString(name, session.utf8Names)
}

/** `quota-resource = resource-name SP resource-usage SP resource-limit`, of what has a limit (§4.2.1). */
async function limitedResources({ service: { usage } }: Session, root: Root): Promise<string[]> {
  if (!usage) throw new Error('there is no QUOTA without usage')
  const { octets, messages, octetLimit, messageLimit } = await usage(root.account)
  const resources: string[] = []
  if (octetLimit > 0) resources.push(`STORAGE ${blocks(octets)} ${blocks(octetLimit)}`)
  if (messageLimit > 0) resources.push(`MESSAGE ${messages} ${messageLimit}`)
  return resources
}

/** `quota-response = "QUOTA" SP quota-root-name SP quota-list` */
function sayQuota(session: Session, root: Root, resources: readonly string[]): void {
  session.untagged(`QUOTA ${printRoot(session, root)} (${resources.join(' ')})`)
}

/** STORAGE counts in units of 1024 octets (§5.1). */
function blocks(octets: number): number {
  return Math.ceil(octets / 1024)
}

const getQuota = {
  name: 'GETQUOTA',
  rfc: 'RFC 9208 §4.1.1',
  states: loggedIn,
  effects: {},
  parse(cursor) {
    cursor.sp()
    return utf8(cursor.astring('Quota root'))
  },
  async run(session, name) {
    const own = { name: ownRoot, account: session.user.id }
    const shared = name === ownRoot ? [] : (await sharedMailboxes(session)).filter((found) => hasRight(found, 'r'))
    const root = [own, ...shared.map(sharedRoot)].find((root) => root.name === name)
    if (!root) throw no('NONEXISTENT', 'There is no such quota root')
    sayQuota(session, root, await limitedResources(session, root))
    return undefined
  },
} satisfies Command<string>

const getQuotaRoot = {
  name: 'GETQUOTAROOT',
  rfc: 'RFC 9208 §4.1.2',
  states: loggedIn,
  effects: {},
  /** A mailbox of one's own need not be there. */
  parse: spMailbox,
  async run(session, name) {
    const isOwn = !isAmongOthers(name)
    const root = isOwn ? { name: ownRoot, account: session.user.id } : sharedRoot(await session.mailbox(name, 'r'))
    const resources = await limitedResources(session, root)
    const quotaRoot = `QUOTAROOT ${printMailbox(name, session.utf8Names)}`
    // An empty quota-list is a syntax error to Thunderbird, which then takes the next untagged response for the tagged
    // one and leaves; a mailbox without limits may have no root at all (§4.2.2).
    if (resources.length === 0) {
      session.untagged(quotaRoot)
      return undefined
    }
    session.untagged(`${quotaRoot} ${printRoot(session, root)}`)
    sayQuota(session, root, resources)
    return undefined
  },
} satisfies Command<string>

const setQuota = {
  name: 'SETQUOTA',
  rfc: 'RFC 9208 §4.1.3',
  states: loggedIn,
  effects: {},
  /** `quota-root-name SP "(" [resource-name SP resource-limit …] ")"` */
  parse(cursor, session) {
    cursor.sp()
    cursor.astring('Quota root')
    cursor.sp()
    cursor.list(() => {
      cursor.atom('Resource name')
      cursor.sp()
      cursor.number64()
    }, session.service.limits.parameters)
    return undefined
  },
  run() {
    throw no('NOPERM', 'Quotas are set by the administration')
  },
} satisfies Command<undefined>

/** What EXPUNGE would free: RFC822.SIZE of what bears \Deleted (§4.1.4). */
async function deletedStorage(session: Session, found: Mailbox): Promise<number> {
  if (found.deleted === 0) return 0
  const { gone, service } = session
  const { mail } = service
  const all = UidSet.ofRanges([[1, Math.max(1, found.uidNext - 1)]])
  const deleted = await mail.search(found.id, { key: 'flags', set: systemFlags['\\Deleted'], clear: 0 }, all, gone)
  let octets = 0
  for await (const rows of mail.fetch(found.id, deleted, {}, gone)) for (const { size } of rows) octets += size
  return octets
}

export const quota: Extension = {
  name: 'QUOTA',
  rfc: 'RFC 9208',
  capabilities: [{ name: 'QUOTA' }, { name: 'QUOTA=RES-STORAGE' }, { name: 'QUOTA=RES-MESSAGE' }],
  commands: [getQuota, getQuotaRoot, setQuota],
  statusItems: [{ name: 'DELETED-STORAGE', value: deletedStorage }],
}

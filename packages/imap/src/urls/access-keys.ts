import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Account, Mailbox } from '@pennypost/model'
import { reservedEntries } from '../metadata/entries.ts'
import type { SessionService } from '../session/session-service.ts'

/**
 * Mailbox access keys and the tokens of mechanism INTERNAL (RFC 4467 §4, §6). A key is not kept: it is derived from the
 * server's secret, the account, the mailbox and two random marks that RESETKEY replaces, one of the account and one of
 * the mailbox. So nothing in the store is a secret, and a mailbox that is made anew has another key.
 */

/** The private annotation that holds a mark; of the mailbox, or of the server for all of the account's. */
const mark = `${reservedEntries}urlauth`

/** The first octet of a token: how the rest was made. */
const algorithm = '01'

type KeyMaker = Pick<SessionService, 'annotations' | 'urlSecret' | 'random'>
type KeyOwner = Pick<Account, 'id' | 'login'>
type KeyedMailbox = Pick<Mailbox, 'id' | 'uidValidity'>

/** Signs a URL up to its access identifier. */
export async function tokenFor(
  service: KeyMaker,
  owner: KeyOwner,
  mailbox: KeyedMailbox,
  rump: string,
): Promise<string> {
  if (!service.urlSecret) throw new Error('there is no URLAUTH without a secret')
  const marks = [await markOf(service, owner, 'server'), await markOf(service, owner, mailbox.id)]
  const derivedFrom = JSON.stringify([owner.login, mailbox.id, mailbox.uidValidity, ...marks])
  const key = createHmac('sha256', service.urlSecret).update(derivedFrom).digest()
  return algorithm + createHmac('sha256', key).update(rump, 'latin1').digest('hex')
}

/** In any case; takes as long wherever they differ. */
export function isSameToken(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one.toLowerCase()), Buffer.from(other.toLowerCase())]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Makes another key: of one mailbox, or of all. Every URL that was signed with the old one is void. */
export async function resetKeys(service: KeyMaker, owner: KeyOwner, mailbox?: KeyedMailbox): Promise<void> {
  const value = Buffer.from(service.random.bytes(12).toString('hex'))
  await service.annotations.annotate(mailbox?.id ?? 'server', owner.id, [{ entry: mark, value }])
}

async function markOf({ annotations }: KeyMaker, owner: KeyOwner, of: Mailbox['id'] | 'server'): Promise<string> {
  const found = await annotations.annotations(of, owner.id)
  return found.find(({ entry }) => entry === mark)?.value.toString('latin1') ?? ''
}

/**
 * Which mailbox a name means, for this account: its own, or one that somebody shares with it.
 *
 * Never broken: what an account has no right to know of is answered exactly as what is not there (RFC 4314 §6): every
 * look for a mailbox goes through here.
 */
import {
  type Account,
  isAmongOthers,
  type Mailbox,
  othersMailbox,
  othersName,
  type Right,
  type Rights,
  StoreError,
  superiors,
} from '@pennypost/model'
import { type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { hasRight, sharedMailbox, type VisibleMailbox } from './visible-mailbox.ts'

/** For whom it is looked: a session, or somebody else on its behalf. */
export type Viewer = Pick<Session, 'service'> & { user: Pick<Account, 'id' | 'login'> }

/** Undefined for one that is not there, and for one on which the account has no right at all. */
export async function findMailbox(session: Viewer, name: string): Promise<VisibleMailbox | undefined> {
  const { mail, sharing } = session.service
  if (!isAmongOthers(name)) return mail.mailboxByName(session.user.id, name)
  const place = await findPlace(session, name)
  const found = place && (await mail.mailboxByName(place.owner.id, place.name, session.user.id))
  return found && shown(found, place.owner.login, await sharing.rights(found.id, session.user.id))
}

/** Rejects with NO: `missing` for one that may as well not be there, NOPERM for one that can be listed. */
export async function requireMailbox(
  session: Session,
  name: string,
  right: Right,
  missing: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT',
): Promise<VisibleMailbox> {
  const found = await findMailbox(session, name)
  if (found && hasRight(found, right)) return found
  throw found && hasRight(found, 'l') ? notPermitted(right) : noSuchMailbox(missing)
}

/** NO for a mailbox that is not there, or of which the account may not know. */
export function noSuchMailbox(code: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT'): ImapRefusal {
  return no(code, 'There is no such mailbox')
}

/** For `catch`: what is said of a mailbox is left out when it is deleted while the command looks into it. */
export function unlessDeleted(error: unknown): undefined {
  if (!(error instanceof StoreError && error.reason === 'no-such-mailbox')) throw error
}

/** NO [NOPERM]. @param rights those that it takes, e.g. `te` */
export function notPermitted(rights: string): ImapRefusal {
  return no('NOPERM', `This needs the right ${rights} on the mailbox`)
}

/** All that others share with the account, in order of name; none where sharing is disabled. */
export async function sharedMailboxes(session: Session): Promise<VisibleMailbox[]> {
  if (!sharesMailboxes(session)) return []
  const shared = await session.service.sharing.sharedWith(session.user.id)
  return shared.flatMap(({ mailbox, owner, rights }) => shown(mailbox, owner, rights) ?? [])
}

/** Whether the account sees what others share: not where ACL is disabled. */
export function sharesMailboxes(session: Pick<Session, 'service'>): boolean {
  return session.service.registry.has('ACL')
}

function shown(mailbox: Mailbox, owner: string, rights: Rights): VisibleMailbox | undefined {
  return rights === '' ? undefined : sharedMailbox(mailbox, othersName(owner, mailbox.name), rights)
}

/** Where a name lies: in which account, and what it is called there. */
export interface Place {
  owner: Pick<Account, 'id' | 'login'>
  name: string
}

/** The place that the name means, whether anything is there or not; undefined when it cannot be anywhere. */
async function findPlace(session: Viewer, name: string): Promise<Place | undefined> {
  if (!isAmongOthers(name)) return { owner: session.user, name }
  const other = sharesMailboxes(session) ? othersMailbox(name) : undefined
  const owner = other && (await session.service.directory.accountByLogin(other.login))
  if (!other || !owner || owner.removedAt !== null || owner.id === session.user.id) return undefined
  return { owner, name: other.name }
}

/**
 * The place in which a mailbox of this name may be made: at will among the own ones, with the right k on the nearest
 * superior among those of others (RFC 4314 §4). The same NOPERM whatever else is wrong there.
 */
export async function requireParent(session: Session, name: string): Promise<Place> {
  const place = await findPlace(session, name)
  if (place && place.owner.id === session.user.id) return place
  const { mail, sharing } = session.service
  for (const superior of place ? superiors(place.name).toReversed() : []) {
    const found = await mail.mailboxByName(place!.owner.id, superior)
    if (!found) continue
    if ((await sharing.rights(found.id, session.user.id)).includes('k')) return place!
    break
  }
  throw no('NOPERM', 'You may not make mailboxes there')
}

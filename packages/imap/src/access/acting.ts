/** What the session's account may do in the selected mailbox, and in whose name the store is to do it. */
import { type Acting, allRights, type FlagKinds, flagKinds, type Right, type Rights } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import { sayFlagNames } from '../session/tell-changes.ts'
import { notPermitted } from './find-mailbox.ts'
import { rightsOn, type VisibleMailbox } from './visible-mailbox.ts'

/**
 * The rights on the selected mailbox as they are now. What SELECT said is said anew when they have changed (RFC 4314
 * §5.1.1). One's own costs nothing.
 */
export async function selectedRights(session: Session): Promise<Rights> {
  const view = session.selected
  if (view.open.viewer === undefined) return allRights
  const rights = await session.service.sharing.rights(view.open.mailbox.id, session.user.id)
  const before = view.rights
  view.rights = rights
  if (flagRights(before) !== flagRights(rights)) sayFlagNames(session, view)
  return rights
}

/** Those of which PERMANENTFLAGS speaks. */
function flagRights(rights: Rights): string {
  return rights.replace(/[^swt]/g, '')
}

/** NO [NOPERM] unless the account has all of these on the selected mailbox. */
export async function requireSelected(session: Session, needed: readonly Right[]): Promise<void> {
  if (session.selected.open.viewer === undefined) return
  const rights = await selectedRights(session)
  if (needed.some((right) => !rights.includes(right))) throw notPermitted(needed.join(''))
}

/** In whose name messages come into a mailbox, from the selected one or from the client; undefined among one's own. */
export function actingOn(session: Session, target: VisibleMailbox, fromSelected: boolean): Acting | undefined {
  const foreign = target.shared || (fromSelected && session.selected.open.viewer !== undefined)
  return foreign ? { account: session.user.id, may: flagKinds(rightsOn(target)) } : undefined
}

/** In whose name flags of the selected mailbox change; undefined in one's own. */
export async function actingOnSelected(session: Session): Promise<Acting | undefined> {
  if (session.selected.open.viewer === undefined) return undefined
  return { account: session.user.id, may: flagKinds(await selectedRights(session)) }
}

/** Whether any flag may be changed. */
export function mayAny({ seen, deleted, others }: FlagKinds): boolean {
  return seen || deleted || others
}

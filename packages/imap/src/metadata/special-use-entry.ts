/**
 * `/private/specialuse` of a mailbox is its special use and kept nowhere else: RFC 6154 §4. Who sets it is held to the
 * rules of CREATE.
 */
import { type Annotation, type AnnotationChange, type SpecialUse, StoreError, specialUses } from '@pennypost/model'
import type { VisibleMailbox } from '../access/visible-mailbox.ts'
import { type ImapRefusal, no } from '../refusal.ts'
import type { Session } from '../session/session.ts'

export const specialUseEntry = '/private/specialuse'

export function specialUseOf({ specialUse }: VisibleMailbox): Annotation | undefined {
  return specialUse === null ? undefined : { entry: specialUseEntry, value: Buffer.from(specialUse) }
}

/** The one that is named, undefined for none; NO [USEATTR] for several, and for others than those of RFC 6154 §2. */
export function knownUse(names: readonly string[]): SpecialUse | undefined {
  const [name] = names
  if (name === undefined) return undefined
  const known = specialUses.find((use) => use.toLowerCase() === name.toLowerCase())
  if (!known || names.length > 1) throw no('USEATTR', 'A mailbox here can have one of the uses of RFC 6154')
  return known
}

/** NO [USEATTR]: one mailbox of an account has a use at most. */
export function useTaken(): ImapRefusal {
  return no('USEATTR', 'Another mailbox has that use')
}

/** By itself alone: SETMETADATA is all or nothing, and it is not kept with the annotations. */
export async function setSpecialUse(
  session: Session,
  mailbox: VisibleMailbox,
  changes: readonly AnnotationChange[],
): Promise<void> {
  const [change] = changes
  if (changes.length > 1) throw no('CANNOT', 'The special use is set by itself')
  if (mailbox.shared) throw no('USEATTR', 'Special uses are for mailboxes of your own')
  const names = change?.value?.toString('latin1').split(' ').filter(Boolean) ?? []
  const use = knownUse(names) ?? null
  await session.service.mail.setSpecialUse(session.user.id, mailbox.name, use).catch((error: unknown) => {
    if (!(error instanceof StoreError)) throw error
    if (error.reason === 'exists') throw useTaken()
    if (error.reason === 'mailbox-not-allowed') throw no('USEATTR', 'INBOX has no special use')
    throw error
  })
}

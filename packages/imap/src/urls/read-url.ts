import { type FetchedMessage, type FetchNeed, type MailboxId, UidSet } from '@pennypost/model'
import { findMailbox, type Viewer } from '../access/find-mailbox.ts'
import { hasRight, type VisibleMailbox } from '../access/visible-mailbox.ts'
import type { Octets } from '../fetch/octets.ts'
import { needOf, sectionOctets } from '../fetch/sections.ts'
import type { Session } from '../session/session.ts'
import type { MessageUrl } from './message-url.ts'

/** The mailbox of a URL, when `viewer` may read it and it is still the one that was meant. */
export async function mailboxOf(
  viewer: Viewer,
  url: MessageUrl,
  selected?: MailboxId,
): Promise<VisibleMailbox | undefined> {
  const found =
    url.mailbox !== undefined
      ? await findMailbox(viewer, url.mailbox)
      : selected !== undefined
        ? await viewer.service.mail.mailbox(selected)
        : undefined
  if (!found || !hasRight(found, 'r') || (url.uidValidity ?? found.uidValidity) !== found.uidValidity) return undefined
  return found
}

/** The octets that a URL names in its mailbox; undefined when there are none. */
export async function readUrl(
  session: Session,
  found: VisibleMailbox,
  { uid, section, partial }: MessageUrl,
): Promise<Octets | undefined> {
  const row = await rowOfUrl(session, found, uid, needOf(section))
  return (row && (await sectionOctets(session, row, section)))?.slice(partial)
}

/** The message that a URL names, or whose part. */
export async function rowOfUrl(
  { service }: Pick<Session, 'service'>,
  found: VisibleMailbox,
  uid: number,
  need: FetchNeed,
): Promise<FetchedMessage | undefined> {
  if (uid < 1 || uid >= found.uidNext) return undefined
  for await (const [row] of service.mail.fetch(found.id, UidSet.of(uid), need)) return row
  return undefined
}

/** Which annotations the account may see and set, and what it is told of them. */
import { type Annotation, type ChangedAnnotation, isPrivateEntry, type MailboxId, type ModSeq } from '@pennypost/model'
import { findMailbox, noSuchMailbox, notPermitted } from '../access/find-mailbox.ts'
import { hasRight, rightsOn, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { printMailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { type AskedEntry, isReserved, writeEntry } from './entries.ts'
import { specialUseEntry, specialUseOf } from './special-use-entry.ts'

/** The entry that says whom to ask for help (RFC 5464 §6.2.1.2); never set by clients. */
const administratorEntry = '/shared/admin'

/** RFC 5464 §3.3: the right l and one of r, s, w, i, p. */
export function mayAnnotate(mailbox: VisibleMailbox): boolean {
  return hasRight(mailbox, 'l') && /[rswip]/.test(rightsOn(mailbox))
}

/** NO for a mailbox that is not there, or may as well not be. */
export async function requireAnnotated(session: Session, name: string): Promise<VisibleMailbox> {
  const found = await findMailbox(session, name)
  if (!found || !hasRight(found, 'l')) throw noSuchMailbox()
  if (!mayAnnotate(found)) throw notPermitted('r')
  return found
}

/** All that the account can see of a mailbox, or of the server (undefined). */
export async function readAnnotations(session: Session, mailbox: VisibleMailbox | undefined): Promise<Annotation[]> {
  const { annotations, administrator } = session.service
  const kept = await annotations.annotations(mailbox?.id ?? 'server', session.user.id)
  const found = kept.filter(({ entry }) => !isReserved(entry) && !(mailbox && entry === specialUseEntry))
  const other = mailbox ? specialUseOf(mailbox) : administrator && annotationOf(administrator)
  return other ? [...found, other].sort((a, b) => (a.entry < b.entry ? -1 : 1)) : found
}

function annotationOf(administrator: string): Annotation {
  return { entry: administratorEntry, value: Buffer.from(administrator) }
}

/** What has been set on a mailbox since `modSeq`, as far as the account can see it. */
export async function changedAnnotations(
  { service, user }: Session,
  mailbox: MailboxId,
  modSeq: ModSeq,
): Promise<ChangedAnnotation[]> {
  const changed = await service.annotations.annotationsChanged(mailbox, user.id, modSeq)
  return changed.filter(({ entry }) => !isReserved(entry))
}

/** How far below the named entries those that are told may lie. */
export type Depth = 0 | 1 | 'infinity'

/** An entry as it is told. */
export interface ToldEntry {
  name: string
  /** null: it was asked for and is not there. */
  value: Buffer | null
}

/** What is told of the named entries; an entry that is not there is told only when nothing below it could be. */
export function chosen(annotations: readonly Annotation[], asked: readonly AskedEntry[], depth: Depth): ToldEntry[] {
  const told = new Map<string, ToldEntry>()
  for (const { written, entry } of asked) {
    const itself = annotations.find((annotation) => annotation.entry === entry)
    if (itself || depth === 0) told.set(entry, { name: written, value: itself?.value ?? null })
    for (const below of annotations) {
      if (told.has(below.entry) || !isBelow(below.entry, entry, depth)) continue
      told.set(below.entry, { name: written + below.entry.slice(entry.length), value: below.value })
    }
  }
  return [...told.values()]
}

function isBelow(entry: string, above: string, depth: Depth): boolean {
  if (depth === 0 || !entry.startsWith(`${above}/`)) return false
  return depth === 'infinity' || !entry.slice(above.length + 1).includes('/')
}

/** `metadata-resp = "METADATA" SP mailbox SP entry-values` */
export function sayMetadata(session: Session, mailbox: VisibleMailbox | undefined, told: readonly ToldEntry[]): void {
  if (told.length === 0) return
  const { out } = session
  out.text(`* METADATA ${mailbox ? printMailbox(mailbox.name, session.utf8Names) : '""'} (`)
  for (const [index, { name, value }] of told.entries()) {
    if (index > 0) out.text(' ')
    writeEntry(out, name, value)
  }
  out.text(')\r\n')
}

/** NO unless the account may set the entry there. */
export function requireMaySet(session: Session, mailbox: VisibleMailbox | undefined, entry: string): void {
  if (isReserved(entry)) throw no('NOPERM', 'The server keeps that for itself')
  if (isPrivateEntry(entry)) return
  if (mailbox) {
    if (!hasRight(mailbox, 'w')) throw notPermitted('w')
  } else if (!session.user.admin || entry === administratorEntry) {
    throw no('NOPERM', 'This is for the administration to say')
  }
}

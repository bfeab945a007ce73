import { flagKinds, mayFlag, nextTurn } from '@pennypost/model'
import type { Extension } from '../extension.ts'
import { type Changes, report, type WantedChanges } from '../view/report.ts'
import type { View } from '../view/view.ts'
import type { Output } from '../wire/output.ts'
import type { Session } from './session.ts'

/**
 * Says the untagged responses for what changed in the selected mailbox (RFC 9051 §7.4.1, §7.5.1, §7.5.2). What there is
 * to say is decided at once; a promise when it is so much that others have their turn meanwhile: the session may say
 * nothing else before that.
 */
export function tellChanges(
  session: Session,
  view: View,
  mayExpunge: boolean,
  wanted?: WantedChanges,
): Promise<void> | undefined {
  const changes = report(view, mayExpunge, wanted)
  if (changes && changes.expunged.seqs.length + changes.flags.length > manyResponses) {
    return sayInPages(session.out, responses(session, view, changes)).then(() => sayWithheld(session, view))
  }
  if (changes) for (const response of responses(session, view, changes)) session.out.text(response)
  sayWithheld(session, view)
  return undefined
}

const manyResponses = 1000

async function sayInPages(out: Output, responses: Iterable<string>): Promise<void> {
  // To read and to count so much has taken its time already.
  await nextTurn()
  if (out.gone) return
  for (const response of responses) {
    out.text(response)
    if (!out.pageFull) continue
    await out.drained()
    if (out.gone) return
    await nextTurn()
  }
}

function* responses(session: Session, view: View, changes: Changes): Generator<string> {
  const { expunged, exists, recent, claimed, flags, flagNames } = changes
  if (flagNames) sayFlagNames(session, view)
  if (expunged.seqs.length > 0 && !session.service.registry.extensions.some(tellsGone(session, view, expunged.uids))) {
    for (const seq of expunged.seqs) yield `* ${seq} EXPUNGE\r\n`
  }
  if (claimed) {
    const { mail } = session.service
    mail.claimRecent(view.open.mailbox.id).catch((error) => session.warn(error, '\\Recent not kept'))
  }
  if (exists) yield `* ${view.count} EXISTS\r\n`
  if (recent && !session.rev2) yield `* ${view.recentCount} RECENT\r\n`
  for (const uid of flags) {
    const index = view.open.indexOf(uid)
    // Between pages others may have expunged it, or given it a new keyword.
    if (index < 0) continue
    tellFlagNames(session, view)
    yield `* ${view.seqOf(uid)} FETCH (UID ${uid} ${flagsItem(session, view, index)})\r\n`
  }
}

function tellsGone(session: Session, view: View, uids: readonly number[]): (extension: Extension) => boolean {
  return ({ onExpungeTold }) => onExpungeTold?.(session, view, uids) === true
}

/** A client that takes the highest MODSEQ it was told as the place where it stands would never hear of what is withheld. */
export function sayWithheld(session: Session, view: View): void {
  if (view.told.said > view.settledModSeq) {
    session.untagged(`OK [HIGHESTMODSEQ ${view.settledModSeq}] Not all changes have been told`)
  }
  view.told.said = 0
}

/** `FLAGS (…)` and what extensions say with it. */
export function flagsItem(session: Session, view: View, openIndex: number): string {
  return `FLAGS (${flagsText(session, view, openIndex)})${besideFlags(session, view, openIndex)}`
}

/** What extensions say with it, each behind a space. */
export function besideFlags(session: Session, view: View, openIndex: number): string {
  let text = ''
  for (const tell of session.service.registry.flagTellers) {
    const more = tell(session, view, openIndex)
    if (more) text += ` ${more}`
  }
  return text
}

/** The flags of a message as this session sees them: with \Recent unless it speaks IMAP4rev2. None of one that is gone. */
export function flagsText(session: Session, view: View, openIndex: number): string {
  if (openIndex < 0) return ''
  const text = view.open.flagText(view.open.flags[openIndex] as number)
  if (session.rev2 || !view.recent.has(view.open.uids[openIndex] as number)) return text
  return text === '' ? '\\Recent' : `${text} \\Recent`
}

/** Keywords are told before the first message that bears one, in whatever response (RFC 9051 §7.3.5). */
export function tellFlagNames(session: Session, view: View): void {
  if (view.told.keywords === view.open.keywords) return
  view.told.keywords = view.open.keywords
  sayFlagNames(session, view)
}

/** FLAGS and PERMANENTFLAGS (RFC 9051 §7.3.5, §7.1): those that the account may set (RFC 4314 §5.1.1). */
export function sayFlagNames(session: Session, view: View): void {
  const keywords = view.open.keywords.filter((keyword) => keyword !== '')
  const names = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', ...keywords]
  const may = flagKinds(view.rights)
  const permanent = view.readOnly ? [] : [...names, '\\*'].filter((name) => mayFlag(may, name))
  session.untagged(`FLAGS (${names.join(' ')})`)
  session.untagged(`OK [PERMANENTFLAGS (${permanent.join(' ')})] Flags that are kept`)
}

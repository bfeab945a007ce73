import { flagKinds, mayFlag } from '@pennypost/model'
import { type Reported, type Reporter, report } from '../view/report.ts'
import type { View } from '../view/view.ts'
import type { Session } from './session.ts'

/** Says the untagged responses for what changed in the selected mailbox (RFC 9051 §7.4.1, §7.5.1, §7.5.2). */
export function tellChanges(session: Session, view: View, mayExpunge: boolean, wanted?: Reported): void {
  const { out } = session
  const reporter: Reporter = {
    expunged(seqs, uids) {
      for (const extension of session.service.registry.extensions) {
        if (extension.onExpungeTold?.(session, view, uids)) return
      }
      for (const seq of seqs) out.text(`* ${seq} EXPUNGE\r\n`)
    },
    exists: (count) => out.untagged(`${count} EXISTS`),
    recent(count) {
      if (!session.rev2) out.untagged(`${count} RECENT`)
    },
    claimed() {
      const { mail, log } = session.service
      mail.claimRecent(view.open.mailbox.id).catch((error) => log.warn({ error: String(error) }, '\\Recent not kept'))
    },
    flagNames: () => sayFlagNames(session, view),
    flags(seq, openIndex) {
      const uid = view.open.uids[openIndex] as number
      out.text(`* ${seq} FETCH (UID ${uid} ${flagsItem(session, view, openIndex)})\r\n`)
    },
  }
  report(view, mayExpunge, reporter, wanted)
  // A client that takes the highest MODSEQ it was told as the place where it stands would never hear of what is withheld.
  if (view.holdsBack && view.told.said > view.settledModSeq) {
    session.untagged(`OK [HIGHESTMODSEQ ${view.settledModSeq}] Expunged messages have not been told`)
  }
  view.told.said = 0
}

/** `FLAGS (…)` and what extensions say with it. */
export function flagsItem(session: Session, view: View, openIndex: number): string {
  let text = `FLAGS (${flagsText(session, view, openIndex)})`
  for (const tell of session.service.registry.flagTellers) {
    const more = tell(session, view, openIndex)
    if (more) text += ` ${more}`
  }
  return text
}

/** The flags of a message as this session sees them: with \Recent unless it speaks IMAP4rev2. */
export function flagsText(session: Session, view: View, openIndex: number): string {
  const text = view.open.flagText(view.open.flags[openIndex] as number)
  if (view.recent.length === 0 || session.rev2 || !view.isRecent(view.open.uids[openIndex] as number)) return text
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

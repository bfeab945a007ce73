/** RENAME. Among mailboxes of others: the right x on the mailbox and k where it goes; within one account only. */
import { isAmongOthers } from '@pennypost/model'
import { requireParent } from '../access/find-mailbox.ts'
import { ownName, type VisibleMailbox } from '../access/visible-mailbox.ts'
import { type Command, loggedIn } from '../command.ts'
import { spMailbox, type WrittenMailbox, writtenMailbox } from '../grammar/mailbox.ts'
import { no } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { createSuperiors, noteCreated } from './create.ts'
import { sayNormalized } from './list.ts'

type Source = Pick<VisibleMailbox, 'account' | 'name' | 'shared'> & Partial<Pick<VisibleMailbox, 'id'>>

interface Args {
  from: string
  to: WrittenMailbox
}

export const rename = {
  name: 'RENAME',
  rfc: 'RFC 9051 §6.3.6',
  states: loggedIn,
  effects: {},
  /** `"RENAME" SP mailbox SP mailbox` */
  parse(cursor, session) {
    const from = spMailbox(cursor, session)
    cursor.sp()
    return { from, to: writtenMailbox(cursor.astring('Mailbox name'), session.utf8Names) }
  },
  async run(session, { from, to }) {
    const source: Source = await session.mailbox(from, 'x').catch((refusal) => standingAbove(session, from, refusal))
    const place = await requireParent(session, to.name)
    if (place.owner.id !== source.account) throw no('CANNOT', 'A mailbox stays in its account')
    const name = ownName(source)
    if (source.shared && name === 'INBOX') throw no('CANNOT', 'INBOX is renamed by its owner alone')
    const above = place.name.startsWith(`${name}/`) ? [] : await createSuperiors(session, place)
    const { mail } = session.service
    await mail.renameMailbox(source.account, name, place.name)
    const { view, notifier } = session
    noteCreated(session, place, above)
    if (name !== 'INBOX') notifier?.told.renamed(from, to.name)
    else if (notifier) {
      const created = await mail.mailboxByName(source.account, place.name).catch(session.notRead)
      if (created) noteCreated(session, place, [created])
    }
    if (view && name !== 'INBOX' && `${view.name}/`.startsWith(`${from}/`)) {
      view.name = to.name + view.name.slice(from.length)
    }
    sayNormalized(session, to)
    if (name === 'INBOX' && source.id !== undefined) session.service.mailboxes.touch(source.id)
    return undefined
  },
} satisfies Command<Args>

/**
 * An own name that is no mailbox, but is listed above some, as \NonExistent or \Noselect: it is renamed for them. Rejects
 * with the refusal where it stands above none.
 */
async function standingAbove({ service, user }: Session, name: string, refusal: unknown): Promise<Source> {
  const mailboxes = isAmongOthers(name) ? [] : await service.mail.mailboxes(user.id)
  if (!mailboxes.some((each) => each.name.startsWith(`${name}/`))) throw refusal
  return { account: user.id, name }
}

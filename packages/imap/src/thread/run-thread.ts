import type { UidSet } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import type { ThreadMessage } from './thread.ts'

/** What threading needs of the messages of a set, in order of the mailbox; what was expunged meanwhile is left out. */
export async function threadMessages(session: Session, found: UidSet): Promise<ThreadMessage[]> {
  const messages: ThreadMessage[] = []
  if (found.isEmpty) return messages
  const view = session.selected
  for await (const rows of session.service.mail.fetch(view.open.mailbox.id, found, { index: true })) {
    for (const { uid, index, internalDate } of rows) {
      if (!index || view.seqOf(uid) === 0) continue
      const { sentAt, baseSubject, replyOrForward, messageIdHeader, references } = index
      messages.push({
        uid,
        sentAt: sentAt ?? internalDate.at,
        subject: baseSubject,
        replyOrForward,
        messageId: messageIdHeader,
        references,
      })
    }
    if (session.connection.closed) return []
  }
  return messages
}

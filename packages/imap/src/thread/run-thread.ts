import type { UidSet } from '@pennypost/model'
import { nextTurn } from '@pennypost/model'
import type { Session } from '../session/session.ts'
import { placeOf } from '../view/lower-bound.ts'
import type { OpenMailbox } from '../view/open-mailbox.ts'
import { type ThreadText, threadText } from './print.ts'
import { messageAt, nodesPerPage, type ThreadAlgorithm, type ThreadMessage } from './thread.ts'

/**
 * The threads of a set of messages; what was expunged meanwhile is left out. Who asks for the same messages again, as
 * webmail does for each page that it shows, gets what was made then: no message ever changes what it answers.
 */
export async function runThread(session: Session, found: UidSet, algorithm: ThreadAlgorithm): Promise<ThreadText> {
  if (found.isEmpty) return new Uint32Array(0)
  const { open } = session.selected
  const uids = await uidsIn(open, found)
  const { last } = open.threadKeys
  if (last?.algorithm === algorithm && Buffer.from(last.uids.buffer).equals(Buffer.from(uids.buffer))) return last.text
  const table = await open.threadKeys.table()
  const messages: ThreadMessage[] = []
  let place = 0
  for (const uid of uids) {
    place = placeOf(table.uids, table.count, uid, place)
    if (place >= 0) messages.push(messageAt(table, place))
    place++
    if (messages.length % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  const text = await threadText(await algorithm.thread(messages, table))
  open.threadKeys.last = { algorithm, uids, text }
  return text
}

async function uidsIn(open: OpenMailbox, found: UidSet): Promise<Uint32Array<ArrayBuffer>> {
  const uids: number[] = []
  let index = 0
  for (const uid of found) {
    index = placeOf(open.uids, open.count, uid, index)
    if (index >= 0) uids.push(uid)
    index++
    if (uids.length % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  return Uint32Array.from(uids)
}

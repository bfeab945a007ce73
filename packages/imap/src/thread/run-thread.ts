import type { UidSet } from '@pennypost/model'
import { breathe } from '../fetch/breathe.ts'
import type { Session } from '../session/session.ts'
import { placeOf } from '../view/lower-bound.ts'
import { messageAt, nodesPerPage, type ThreadAlgorithm, type ThreadMessage, type ThreadNode } from './thread.ts'

/** The threads of a set of messages; what was expunged meanwhile is left out. */
export async function runThread(session: Session, found: UidSet, algorithm: ThreadAlgorithm): Promise<ThreadNode[]> {
  if (found.isEmpty) return []
  const { open } = session.selected
  const table = await open.threadKeys.table()
  const messages: ThreadMessage[] = []
  let place = 0
  let index = 0
  for (const uid of found) {
    place = placeOf(table.uids, table.count, uid, place)
    index = placeOf(open.uids, open.count, uid, index)
    if (place >= 0 && index >= 0) messages.push(messageAt(table, place))
    place++
    index++
    if (messages.length % nodesPerPage === nodesPerPage - 1) await breathe()
  }
  return algorithm.thread(messages, table)
}

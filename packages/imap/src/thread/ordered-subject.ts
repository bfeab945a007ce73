import { nextTurn } from '@pennypost/model'
import { mergeSort } from '../sort/merge-sort.ts'
import { nodesPerPage, type ThreadAlgorithm, type ThreadMessage, type ThreadNode } from './thread.ts'

/**
 * RFC 5256 §3 ORDEREDSUBJECT: messages of one base subject are a thread; the first by date is the parent of all others.
 * There are no grandchildren.
 */
async function thread(messages: readonly ThreadMessage[]): Promise<ThreadNode[]> {
  const dates = new Float64Array(messages.length)
  for (let index = 0; index < messages.length; index++) dates[index] = (messages[index] as ThreadMessage).sentAt
  const byDate = await mergeSort(messages.length, (a, b) => (dates[a] as number) - (dates[b] as number))
  const threads = new Map<number, ThreadNode>()
  for (const [count, index] of byDate.entries()) {
    const message = messages[index] as ThreadMessage
    const node: ThreadNode = { message, children: [] }
    const first = threads.get(message.subject)
    if (first) first.children.push(node)
    else threads.set(message.subject, node)
    if (count % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  // Begun in order of date, so they stand in the order of their first messages.
  return [...threads.values()]
}

export const orderedSubject: ThreadAlgorithm = { name: 'ORDEREDSUBJECT', thread }

import { nextTurn } from '@pennypost/model'
import { mergeSort } from '../sort/merge-sort.ts'
import { nodesPerPage, type ThreadMessage, type ThreadNode } from './thread.ts'

/** Sorts by sent date, equal ones in order of the mailbox (RFC 5256 §2.2); a dummy by its first child. */
export async function sortSiblings(nodes: ThreadNode[]): Promise<void> {
  const compare = (a: ThreadMessage, b: ThreadMessage): number => a.sentAt - b.sentAt || a.uid - b.uid
  if (nodes.length < sortedAtOnce) {
    nodes.sort((a, b) => compare(dated(a), dated(b)))
    return
  }
  const dates = new Float64Array(nodes.length)
  const uids = new Uint32Array(nodes.length)
  for (let index = 0; index < nodes.length; index++) {
    const message = dated(nodes[index] as ThreadNode)
    dates[index] = message.sentAt
    uids[index] = message.uid
    if (index % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  const order = await mergeSort(nodes.length, (a, b) => {
    return (dates[a] as number) - (dates[b] as number) || (uids[a] as number) - (uids[b] as number)
  })
  const unsorted = nodes.slice()
  for (let index = 0; index < order.length; index++) nodes[index] = unsorted[order[index] as number] as ThreadNode
}

const sortedAtOnce = 1000

/** The message whose date and subject stand for the thread: its own, or that of a dummy's first child. */
export function dated({ message, children }: ThreadNode): ThreadMessage {
  return message ?? ((children[0] as ThreadNode).message as ThreadMessage)
}

import { mergeSort } from '../sort/merge-sort.ts'
import type { ThreadMessage, ThreadNode } from './thread.ts'

/** Sorts by sent date, equal ones in order of the mailbox (RFC 5256 §2.2); a dummy by its first child. */
export async function sortSiblings(nodes: ThreadNode[]): Promise<void> {
  const compare = (a: ThreadMessage, b: ThreadMessage): number => a.sentAt - b.sentAt || a.uid - b.uid
  if (nodes.length < sortedAtOnce) {
    nodes.sort((a, b) => compare(dated(a), dated(b)))
    return
  }
  const messages = nodes.map(dated)
  const order = await mergeSort(nodes.length, (a, b) => compare(messages[a] as never, messages[b] as never))
  const sorted = Array.from(order, (index) => nodes[index] as ThreadNode)
  for (const [index, node] of sorted.entries()) nodes[index] = node
}

const sortedAtOnce = 1000

/** The message whose date and subject stand for the thread: its own, or that of a dummy's first child. */
export function dated({ message, children }: ThreadNode): ThreadMessage {
  return message ?? ((children[0] as ThreadNode).message as ThreadMessage)
}

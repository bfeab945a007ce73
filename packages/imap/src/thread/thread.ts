import { breathe } from '../fetch/breathe.ts'

/** A message with those that answer it, while threads are built and when they are said. */
export interface ThreadNode {
  /** Absent: a dummy, a parent that is not among the messages (RFC 5256 §3). */
  message: ThreadMessage | undefined
  children: ThreadNode[]
}

/** What threading needs to know of a message. */
export interface ThreadMessage {
  uid: number
  sentAt: number
  /** Folded base subject (RFC 5256 §2.1). */
  subject: string
  replyOrForward: boolean
  /** '' when there is none. */
  messageId: string
  /** Oldest first. */
  references: readonly string[]
}

/** `thread-alg`, as a value: takes messages in order of the mailbox and gives the threads in order. */
export interface ThreadAlgorithm {
  /** In upper case. */
  name: string
  thread(messages: readonly ThreadMessage[]): Promise<ThreadNode[]>
}

/** All nodes of the trees, each behind its parent. Threads are as deep as a sender likes, so nothing here recurses. */
export async function descendants(roots: readonly ThreadNode[]): Promise<ThreadNode[]> {
  const all = roots.slice()
  for (let i = 0; i < all.length; i++) {
    for (const child of (all[i] as ThreadNode).children) all.push(child)
    if (i % nodesPerPage === nodesPerPage - 1) await breathe()
  }
  return all
}

/** After so many nodes of a large mailbox others get their turn. */
export const nodesPerPage = 4000

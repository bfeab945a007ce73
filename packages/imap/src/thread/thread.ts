import { nextTurn } from '@pennypost/model'
import type { ThreadTable } from '../view/thread-keys.ts'

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
  /** Stands for its base subject (RFC 5256 §2.1); 0: it is empty. */
  subject: number
  replyOrForward: boolean
  /** Where the table has it. */
  place: number
}

/** `thread-alg`, as a value: takes messages in order of the mailbox and gives the threads in order. */
export interface ThreadAlgorithm {
  /** In upper case. */
  name: string
  thread(messages: readonly ThreadMessage[], table: ThreadTable): Promise<ThreadNode[]>
}

/** The message that the table has at a place. */
export function messageAt(table: ThreadTable, place: number): ThreadMessage {
  return {
    uid: table.uids[place] as number,
    sentAt: table.sentAt[place] as number,
    subject: table.subjects[place] as number,
    replyOrForward: table.replies[place] === 1,
    place,
  }
}

/** All nodes of the trees, each behind its parent. Threads are as deep as a sender likes, so nothing here recurses. */
export async function descendants(roots: readonly ThreadNode[]): Promise<ThreadNode[]> {
  const all = roots.slice()
  for (let i = 0; i < all.length; i++) {
    for (const child of (all[i] as ThreadNode).children) all.push(child)
    if (i % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  return all
}

/** After so many nodes of a large mailbox others get their turn. */
export const nodesPerPage = 4000

import { nextTurn } from '@pennypost/model'
import { nodesPerPage, type ThreadNode } from './thread.ts'

/**
 * Threads as THREAD says them, `thread-list = "(" (thread-members / thread-nested) ")"` (RFC 5256 §5), with UIDs and
 * marks for the brackets: small enough to be kept, and said anew in message numbers that change.
 */
export type ThreadText = Uint32Array

/** What no UID is: 0, and the largest number, since UIDNEXT would have to be above it. */
const opening = 0
const closing = 0xffff_ffff
const isUid = (mark: number): boolean => mark !== opening && mark !== closing

/** An only child follows its parent, several are lists of their own; a dummy has no number. */
export async function threadText(roots: readonly ThreadNode[]): Promise<ThreadText> {
  const marks: number[] = []
  /** Nodes to come, and what stands before and behind them: threads may be too deep to recurse. */
  const rest: (ThreadNode | number)[] = []
  let nodes = 0
  for (const root of roots) {
    rest.push(closing, root, opening)
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (typeof next === 'number') {
        marks.push(next)
        continue
      }
      const { message, children } = next
      if (message) marks.push(message.uid)
      for (let at = children.length - 1; at >= 0; at--) {
        const child = children[at] as ThreadNode
        if (children.length === 1) rest.push(child)
        else rest.push(closing, child, opening)
      }
      if (++nodes % nodesPerPage === 0) await nextTurn()
    }
  }
  return Uint32Array.from(marks)
}

/** The part from `start` to `end`, in the numbers that the client knows. */
export function printThreads(text: ThreadText, start: number, end: number, numberOf: (uid: number) => number): string {
  let printed = ''
  for (let at = start; at < end; at++) {
    const mark = text[at] as number
    const isBehindNumber = at > 0 && isUid(text[at - 1] as number)
    if (mark === closing) printed += ')'
    else {
      if (isBehindNumber) printed += ' '
      printed += mark === opening ? '(' : numberOf(mark)
    }
  }
  return printed
}

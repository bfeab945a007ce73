import { nextTurn } from '@pennypost/model'
import { dated } from './siblings.ts'
import { nodesPerPage, type ThreadNode } from './thread.ts'

/**
 * Step 5 of REFERENCES (RFC 5256 §3): threads of one base subject become one. The order of `roots` is that of step 4.
 * Gives the roots that are left.
 */
export async function mergeBySubject(roots: readonly ThreadNode[]): Promise<ThreadNode[]> {
  const table = await subjectTable(roots)
  /** The roots that stay, by their places; a new dummy takes the place of the first thread in it. */
  const kept: (ThreadNode | undefined)[] = [...roots]
  const places = new Map<ThreadNode, number>()
  for (const [place, root] of roots.entries()) {
    if (place % nodesPerPage === nodesPerPage - 1) await nextTurn()
    const { subject } = dated(root)
    const first = table.get(subject)
    if (first === root) places.set(root, place)
    if (first === undefined || first === root) continue
    kept[place] = undefined
    if (first.message === undefined) {
      for (const child of root.message ? [root] : root.children) first.children.push(child)
    } else if (root.message?.replyOrForward && !first.message.replyOrForward) {
      first.children.push(root)
    } else {
      // The first one stands before this one then: only replies stand before a first one that is none.
      const dummy: ThreadNode = { message: undefined, children: [first, root] }
      kept[places.get(first) as number] = dummy
      table.set(subject, dummy)
    }
  }
  return kept.filter((root) => root !== undefined)
}

/** Step 5.B: for each subject the thread that others are merged with: a dummy, or else one that is no reply. */
async function subjectTable(roots: readonly ThreadNode[]): Promise<Map<number, ThreadNode>> {
  const table = new Map<number, ThreadNode>()
  for (const [place, root] of roots.entries()) {
    if (place % nodesPerPage === nodesPerPage - 1) await nextTurn()
    const { subject } = dated(root)
    if (subject === 0) continue
    const known = table.get(subject)
    const better = root.message === undefined || (known?.message?.replyOrForward && !root.message.replyOrForward)
    if (known === undefined || (known.message !== undefined && better)) table.set(subject, root)
  }
  return table
}

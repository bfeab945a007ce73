import { nextTurn, turnTaking } from '@pennypost/model'
import type { ThreadTable } from '../view/thread-keys.ts'
import { linkByReferences } from './links.ts'
import { sortSiblings } from './siblings.ts'
import { mergeBySubject } from './subjects.ts'
import { descendants, nodesPerPage, type ThreadAlgorithm, type ThreadMessage, type ThreadNode } from './thread.ts'

/**
 * RFC 5256 §3 REFERENCES, in its six steps: link by ids, gather the roots, prune dummies, sort the roots, merge roots
 * of one subject, sort all siblings.
 */
async function thread(messages: readonly ThreadMessage[], table: ThreadTable): Promise<ThreadNode[]> {
  const roots = await pruned(await linkByReferences(messages, table))
  // Step 4: a dummy stands where its first child by date does.
  for (const root of roots) if (isDummy(root)) await sortSiblings(root.children)
  await sortSiblings(roots)
  const merged = await mergeBySubject(roots)
  // Step 6, youngest siblings first: descendants stand behind their parents, so backwards; the roots last.
  const all = await descendants(merged)
  for (let i = all.length - 1; i >= 0; i--) {
    const { children } = all[i] as ThreadNode
    if (children.length > 1) await sortSiblings(children)
    if (i % nodesPerPage === 0) await nextTurn()
  }
  await sortSiblings(merged)
  return merged
}

/**
 * Step 3: dummies without children go; those with children give them to their own parent, but a dummy at the top keeps
 * them when there is more than one. Each dummy is taken apart once, however deep it lies below others.
 */
async function pruned(roots: readonly ThreadNode[]): Promise<ThreadNode[]> {
  const all = await descendants(roots)
  const turn = turnTaking(nodesPerPage)
  for (const [index, node] of all.entries()) {
    const stays = index < roots.length || !isDummy(node)
    if (stays && node.children.some(isDummy)) node.children = await nearestMessages(node.children, turn)
    const othersTurn = turn()
    if (othersTurn) await othersTurn
  }
  const kept: ThreadNode[] = []
  for (const [index, root] of roots.entries()) {
    if (!isDummy(root) || root.children.length > 1) kept.push(root)
    else if (root.children[0]) kept.push(root.children[0])
    if (index % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  return kept
}

/** In any order: they are sorted later. */
async function nearestMessages(
  nodes: readonly ThreadNode[],
  turn: () => Promise<void> | undefined,
): Promise<ThreadNode[]> {
  const found: ThreadNode[] = []
  const rest = nodes.slice()
  for (let node = rest.pop(); node; node = rest.pop()) {
    if (isDummy(node)) for (const child of node.children) rest.push(child)
    else found.push(node)
    const othersTurn = turn()
    if (othersTurn) await othersTurn
  }
  return found
}

function isDummy({ message }: ThreadNode): boolean {
  return message === undefined
}

export const references: ThreadAlgorithm = { name: 'REFERENCES', thread }

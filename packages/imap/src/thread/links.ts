import { nextTurn } from '@pennypost/model'
import type { ThreadTable } from '../view/thread-keys.ts'
import { nodesPerPage, type ThreadMessage, type ThreadNode } from './thread.ts'

/**
 * Steps 1 and 2 of REFERENCES (RFC 5256 §3): parents and children by message ids, and those that have no parent.
 *
 * Never broken: links make no loop; each node has at most one parent; references made to be slow only make more turns.
 */
export async function linkByReferences(messages: readonly ThreadMessage[], table: ThreadTable): Promise<ThreadNode[]> {
  const { messageIds, references, ends } = table
  const links = new Links(messages.length, table.idCount)
  // Of several with one id the first has it; the others, and those without any, are found by no reference.
  for (let index = 0; index < messages.length; index++) {
    const id = messageIds[(messages[index] as ThreadMessage).place] as number
    if (id !== 0) links.name(index, id)
    if (index % nodesPerPage === nodesPerPage - 1) await nextTurn()
  }
  for (let index = 0; index < messages.length; index++) {
    const { place } = messages[index] as ThreadMessage
    let parent = none
    const end = ends[place] as number
    for (let at = place === 0 ? 0 : (ends[place - 1] as number); at < end; at++) {
      const node = links.nodeOf(references[at] as number)
      // A: an earlier link stands, since this header may be a truncated one.
      if (parent !== none && !links.hasParent(node)) links.adopt(parent, node)
      parent = node
      if (links.turnIsDue) await links.turn()
    }
    // B: what a message says of its own parent is better than what others said.
    links.orphan(index)
    if (parent !== none) links.adopt(parent, index)
    if (links.turnIsDue) await links.turn()
  }
  return links.roots(messages)
}

const none = -1
const stepsPerPage = 50_000

/** Who is whose parent. Messages are nodes by their index; dummies follow them. */
class Links {
  /** By what stands for an id. */
  readonly #byId: Int32Array
  readonly #parents: number[]
  readonly #childCounts: number[]
  /** Work since others had their turn last. */
  #steps = 0

  constructor(messages: number, ids: number) {
    this.#byId = new Int32Array(ids).fill(none)
    this.#parents = new Array(messages).fill(none)
    this.#childCounts = new Array(messages).fill(0)
  }

  name(node: number, id: number): void {
    if (this.#byId[id] === none) this.#byId[id] = node
  }

  /** The node of an id; a dummy when no message has it. */
  nodeOf(id: number): number {
    this.#steps += 2
    let node = this.#byId[id] as number
    if (node === none) {
      node = this.#parents.push(none) - 1
      this.#childCounts.push(0)
      this.#byId[id] = node
    }
    return node
  }

  hasParent(node: number): boolean {
    return this.#parents[node] !== none
  }

  orphan(node: number): void {
    this.#steps += 2
    const parent = this.#parents[node] as number
    if (parent === none) return
    this.#childCounts[parent]!--
    this.#parents[node] = none
  }

  /** Links the two, unless that would make a loop. */
  adopt(parent: number, node: number): void {
    if (parent === node || (this.#childCounts[node] !== 0 && this.#isAbove(node, parent))) return
    this.#parents[node] = parent
    this.#childCounts[parent]!++
  }

  #isAbove(node: number, other: number): boolean {
    for (let at = other; at !== none; at = this.#parents[at] as number) {
      this.#steps++
      if (at === node) return true
    }
    return false
  }

  get turnIsDue(): boolean {
    return this.#steps > stepsPerPage
  }

  turn(): Promise<void> {
    this.#steps = 0
    return nextTurn()
  }

  /** Step 2. Children stand in order of the mailbox, dummies last. */
  async roots(messages: readonly ThreadMessage[]): Promise<ThreadNode[]> {
    const nodes: ThreadNode[] = []
    for (let index = 0; index < this.#parents.length; index++) {
      nodes.push({ message: messages[index], children: [] })
      if (index % nodesPerPage === nodesPerPage - 1) await nextTurn()
    }
    const roots: ThreadNode[] = []
    for (const [index, parent] of this.#parents.entries()) {
      const siblings = parent === none ? roots : (nodes[parent] as ThreadNode).children
      siblings.push(nodes[index] as ThreadNode)
      if (index % nodesPerPage === nodesPerPage - 1) await nextTurn()
    }
    return roots
  }
}

import { breathe } from '../fetch/breathe.ts'
import { nodesPerPage, type ThreadMessage, type ThreadNode } from './thread.ts'

/**
 * Steps 1 and 2 of REFERENCES (RFC 5256 §3): parents and children by message ids, and those that have no parent.
 *
 * Never broken: links make no loop; each node has at most one parent; references made to be slow only make more turns.
 */
export async function linkByReferences(messages: readonly ThreadMessage[]): Promise<ThreadNode[]> {
  const links = new Links(messages.length)
  // Of several with one id the first has it; the others, and those without any, are found by no reference.
  for (const [index, { messageId }] of messages.entries()) {
    if (messageId !== '') links.name(index, messageId)
    if (index % nodesPerPage === nodesPerPage - 1) await breathe()
  }
  for (const [index, { references }] of messages.entries()) {
    let parent = none
    for (const id of references) {
      const node = links.nodeOf(id)
      // A: an earlier link stands, since this header may be a truncated one.
      if (parent !== none && !links.hasParent(node)) links.adopt(parent, node)
      parent = node
      if (links.tired) await links.rest()
    }
    // B: what a message says of its own parent is better than what others said.
    links.orphan(index)
    if (parent !== none) links.adopt(parent, index)
    if (links.tired) await links.rest()
  }
  return links.roots(messages)
}

const none = -1
const stepsPerPage = 50_000

/** Who is whose parent. Messages are nodes by their index; dummies follow them. */
class Links {
  readonly #byId = new Map<string, number>()
  readonly #parents: number[]
  readonly #childCounts: number[]
  /** Work since the last rest. */
  #steps = 0

  constructor(messages: number) {
    this.#parents = new Array(messages).fill(none)
    this.#childCounts = new Array(messages).fill(0)
  }

  name(node: number, id: string): void {
    if (!this.#byId.has(id)) this.#byId.set(id, node)
  }

  /** The node of an id; a dummy when no message has it. */
  nodeOf(id: string): number {
    this.#steps += 5
    let node = this.#byId.get(id)
    if (node === undefined) {
      node = this.#parents.push(none) - 1
      this.#childCounts.push(0)
      this.#byId.set(id, node)
    }
    return node
  }

  hasParent(node: number): boolean {
    return this.#parents[node] !== none
  }

  orphan(node: number): void {
    this.#steps += 5
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

  get tired(): boolean {
    return this.#steps > stepsPerPage
  }

  rest(): Promise<void> {
    this.#steps = 0
    return breathe()
  }

  /** Step 2. Children stand in order of the mailbox, dummies last. */
  async roots(messages: readonly ThreadMessage[]): Promise<ThreadNode[]> {
    const nodes: ThreadNode[] = []
    for (let index = 0; index < this.#parents.length; index++) {
      nodes.push({ message: messages[index], children: [] })
      if (index % nodesPerPage === nodesPerPage - 1) await breathe()
    }
    const roots: ThreadNode[] = []
    for (const [index, parent] of this.#parents.entries()) {
      const siblings = parent === none ? roots : (nodes[parent] as ThreadNode).children
      siblings.push(nodes[index] as ThreadNode)
      if (index % nodesPerPage === nodesPerPage - 1) await breathe()
    }
    return roots
  }
}

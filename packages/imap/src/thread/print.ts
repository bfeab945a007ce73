import type { ThreadNode } from './thread.ts'

/**
 * `thread-list = "(" (thread-members / thread-nested) ")"` (RFC 5256 §5): an only child follows its parent, several are
 * lists of their own; a dummy has no number. Threads may be too deep to recurse.
 */
export function printThread(root: ThreadNode, numberOf: (uid: number) => number): string {
  let text = '('
  let opened = true
  /** Nodes to come, and the text that stands between and behind them. */
  const rest: (ThreadNode | string)[] = [')', root]
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next === 'string') {
      text += next
      opened = next === ')('
      continue
    }
    const { message, children } = next
    if (message) {
      text += `${opened ? '' : ' '}${numberOf(message.uid)}`
      opened = false
    }
    if (children.length > 1) {
      text += opened ? '(' : ' ('
      opened = true
      rest.push(')')
    }
    for (let i = children.length - 1; i >= 0; i--) {
      rest.push(children[i] as ThreadNode)
      if (i > 0) rest.push(')(')
    }
  }
  return text
}

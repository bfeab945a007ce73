/**
 * How loops let other sessions have their turn, so that no command holds up everybody however much it goes over. What
 * commands take together is counted by `Turns` of transport, between them.
 */

/** Lets other sessions have their turn; for loops over large mailboxes, once a page. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** For loops over names, of which there may be ten thousand: what each round waits for, mostly nothing. */
export function turnTaking(namesPerTurn = 100): () => Promise<void> | undefined {
  let count = 0
  return () => (++count % namesPerTurn === 0 ? breathe() : undefined)
}

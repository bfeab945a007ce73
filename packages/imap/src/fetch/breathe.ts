/** Lets other sessions have their turn; for loops over large mailboxes, once a page. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** For loops over names, of which there may be ten thousand: what each round waits for, mostly nothing. */
export function turnTaking(): () => Promise<void> | undefined {
  let count = 0
  return () => (++count % namesPerTurn === 0 ? breathe() : undefined)
}

const namesPerTurn = 100

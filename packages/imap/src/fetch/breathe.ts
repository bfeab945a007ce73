/** Lets other sessions have their turn; for loops over large mailboxes, once a page. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

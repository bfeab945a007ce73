/**
 * Whose turn it is among searches: accounts take turns, and the searches of one account take those of theirs. So nobody waits
 * longer for it that somebody else has many searches under way at once.
 */
export class Rounds {
  /** Of each account what waits; the account whose turn is next first. */
  readonly #lines = new Map<number, (() => void)[]>()
  #goesOn = false

  /** Resolves when it is this account's turn, and that of whoever called this first for it. */
  turn(account: number): Promise<void> {
    if (!this.#goesOn) setImmediate(this.#next)
    this.#goesOn = true
    return new Promise((resolve) => {
      const line = this.#lines.get(account)
      if (line) line.push(resolve)
      else this.#lines.set(account, [resolve])
    })
  }

  readonly #next = (): void => {
    const [first] = this.#lines
    this.#goesOn = first !== undefined
    if (!first) return
    const [account, line] = first
    this.#lines.delete(account)
    line.shift()?.()
    if (line.length > 0) this.#lines.set(account, line)
    setImmediate(this.#next)
  }
}

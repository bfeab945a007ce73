/**
 * What was made of messages for the last searches, by message id: who looks for a word looks for the next one in the same
 * mailbox. Bounded; the oldest go first. Called by what decodes texts, and by what looks at octets alone.
 *
 * Never broken: a message id stands for one content for ever, so what is kept is never stale.
 */
export class KeptTexts<Kept> {
  readonly #most: number
  readonly #charactersOf: (kept: Kept) => number
  readonly #kept = new Map<number, Kept>()
  #characters = 0

  /** @param most characters of all that is kept */
  constructor(most: number, charactersOf: (kept: Kept) => number) {
    this.#most = most
    this.#charactersOf = charactersOf
  }

  has(message: number): boolean {
    return this.#kept.has(message)
  }

  get(message: number): Kept | undefined {
    return this.#kept.get(message)
  }

  /** In the place of what was kept of the message before. */
  keep(message: number, kept: Kept): void {
    this.#drop(message)
    this.#kept.set(message, kept)
    this.#characters += this.#sizeOf(kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#characters <= this.#most) return
      this.#drop(oldest)
    }
  }

  #drop(message: number): void {
    if (!this.#kept.has(message)) return
    this.#characters -= this.#sizeOf(this.#kept.get(message) as Kept)
    this.#kept.delete(message)
  }

  #sizeOf(kept: Kept): number {
    return perEntry + this.#charactersOf(kept)
  }
}

/** What an entry costs beside its texts, roughly. */
const perEntry = 100

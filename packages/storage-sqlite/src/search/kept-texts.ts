/**
 * What was made of messages for the last searches, by message id: who looks for a word looks for the next one in the same
 * mailbox. Bounded; the oldest go first. Called by what decodes texts, and by what looks at octets alone.
 *
 * Never broken: a message id stands for one content for ever, so what is kept is never stale.
 */
export class KeptTexts<Kept> {
  readonly #most: number
  readonly #charactersOf: (kept: Kept) => number
  #newer = new Map<number, Kept>()
  /** Goes as a whole: a map from which the first entry is taken again and again looks past ever more that are gone. */
  #older = new Map<number, Kept>()
  /** Of the newer ones. */
  #characters = 0

  /** @param most characters of all that is kept, unless one entry alone has more than half of it */
  constructor(most: number, charactersOf: (kept: Kept) => number) {
    this.#most = most
    this.#charactersOf = charactersOf
  }

  has(message: number): boolean {
    return this.#newer.has(message) || this.#older.has(message)
  }

  get(message: number): Kept | undefined {
    return this.#newer.get(message) ?? this.#older.get(message)
  }

  /** In the place of what was kept of the message before. */
  keep(message: number, kept: Kept): void {
    if (this.#newer.has(message)) this.#characters -= this.#sizeOf(this.#newer.get(message) as Kept)
    const size = this.#sizeOf(kept)
    if (this.#characters + size > this.#most / 2) {
      this.#older = this.#newer
      this.#newer = new Map()
      this.#characters = 0
    }
    this.#newer.set(message, kept)
    this.#characters += size
  }

  #sizeOf(kept: Kept): number {
    return perEntry + this.#charactersOf(kept)
  }
}

/** What an entry costs beside its texts, roughly. */
const perEntry = 100

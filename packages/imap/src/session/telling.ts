/**
 * What is told unasked, one step after the other for as long as something is due: what comes while a step is made, or just as
 * it ends, is told by the next.
 */
export class Telling {
  readonly #step: () => Promise<void>
  readonly #isDue: () => boolean
  #running: Promise<void> | undefined

  /** @param step never rejects */
  constructor(step: () => Promise<void>, isDue: () => boolean) {
    this.#step = step
    this.#isDue = isDue
  }

  /** Something is being said: nobody else may speak. */
  get isRunning(): boolean {
    return this.#running !== undefined
  }

  start(): void {
    this.#running ??= this.#step().finally(() => {
      this.#running = undefined
      if (this.#isDue()) this.start()
    })
  }

  /** Resolves when nothing is being told. */
  async ended(): Promise<void> {
    while (this.#running) await this.#running
  }
}

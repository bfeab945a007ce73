import type { ReceptionLimits } from './options.ts'

/**
 * What a session may get wrong before it ends, and how long its errors make it wait. An accepted message clears it:
 * lists with dead addresses are no attack, and who guesses addresses or passwords sends no mail in between.
 */
export class ErrorBudget {
  readonly #limits: ReceptionLimits
  #errors = 0
  #idle = 0

  constructor(limits: ReceptionLimits) {
    this.#limits = limits
  }

  /** One more error was answered. */
  count(): 'left' | 'spent' {
    return ++this.#errors >= this.#limits.errors ? 'spent' : 'left'
  }

  /** One more command was given that brings no mail nearer (NOOP, RSET, HELP …); beyond the limit they are errors. */
  idled(): 'left' | 'spent' {
    return ++this.#idle > this.#limits.idleCommands ? this.count() : 'left'
  }

  /** How long the next error's reply is held back: nothing at first, then longer with each one. */
  get delayMs(): number {
    const { softErrors, tarpitMs, tarpitMaxMs } = this.#limits
    const beyond = this.#errors + 1 - softErrors
    return beyond < 0 ? 0 : Math.min(tarpitMaxMs, (beyond + 1) * tarpitMs)
  }

  clear(): void {
    this.#errors = 0
    this.#idle = 0
  }
}

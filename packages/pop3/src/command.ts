import type { Session } from './session.ts'

/** A command of POP3 as a value: one file each under `commands/`, listed in `commands/index.ts`. */
export interface Command {
  keyword: string
  /** The section that defines it. */
  rfc: string
  /** The states of RFC 1939 §3 in which it is legal. */
  states: readonly State[]
  run(session: Session, argument: string): void | Promise<void>
}

export type State = 'authorization' | 'transaction'

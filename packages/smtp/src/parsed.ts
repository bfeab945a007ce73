import type { Reply } from './reply.ts'

/**
 * What every parser of a command's text gives: the typed value, or the reply that the server owes to a client that sent
 * it. Parsers of this package never throw on input.
 */
export type Parsed<T> = { ok: true; value: T } | Refused

export interface Refused {
  ok: false
  reply: Reply
}

/** What was read. */
export function parsed<T>(value: T): Parsed<T> {
  return { ok: true, value }
}

/** What the client is told instead. */
export function refused(reply: Reply): Refused {
  return { ok: false, reply }
}

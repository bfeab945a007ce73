/**
 * What packages ask of a logger; pino satisfies it. Secrets and message content are never given to it.
 * The first argument carries `journey`, `session` and other ids, so that logs and journeys can be laid side by side.
 */
export interface Log {
  debug(facts: object, text: string): void
  info(facts: object, text: string): void
  warn(facts: object, text: string): void
  error(facts: object, text: string): void
  child(bindings: object): Log
}

/** A logger that keeps nothing, for tests and tools. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}

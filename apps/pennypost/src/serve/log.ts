import type { Log } from '@pennypost/model'
import { destination as openDestination, pino } from 'pino'

/**
 * The program's log: pino lines to standard output or to a file that is reopened on SIGHUP, and the newest errors kept
 * for `pennypost status`. What could carry a secret never comes here; `redact` is the second lock on that door.
 */
export interface ProgramLog {
  log: Log
  /** Newest last, at most 20. */
  readonly errors: readonly { at: number; text: string }[]
  /** After log rotation. */
  reopen(): void
  flush(): void
}

const keptErrors = 20

export function createLog(options: { file: string; level: string; now: () => number }): ProgramLog {
  const destination = openDestination({ dest: options.file === '' ? 1 : options.file, sync: false, mkdir: true })
  const errors: { at: number; text: string }[] = []
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      redact: ['password', '*.password', 'secret', '*.secret'],
      formatters: { level: (label) => ({ level: label }) },
      hooks: {
        logMethod(values, method, level) {
          if (level >= 50) {
            errors.push({ at: options.now(), text: String(values[1] ?? values[0]) })
            if (errors.length > keptErrors) errors.shift()
          }
          method.apply(this, values)
        },
      },
    },
    destination,
  )
  return {
    log,
    errors,
    reopen: () => options.file !== '' && destination.reopen(),
    flush: () => destination.flushSync(),
  }
}

import type { Deadline, Log, Timer } from '@pennypost/model'
import { pino } from 'pino'
import { LogFile } from './log-file.ts'

/**
 * The program's log: pino lines to standard output or to a file that is reopened on SIGHUP, and the newest errors kept
 * for `pennypost status`. What could carry a secret never comes here; `redact` is the second lock on that door.
 * Lines are written some at a time: a write for each would cost as much as the mail that it tells of.
 */
export interface ProgramLog {
  log: Log
  /** Newest last, at most 20. */
  readonly errors: readonly { at: number; text: string }[]
  /** After log rotation. */
  reopen(): void
  /** Writes what is held; before the process ends. */
  flush(): void
}

const keptErrors = 20
/** Lines wait until there is so much of them, or for so long; errors take all before them along at once. */
const heldCharacters = 4096
const heldMs = 100

export function createLog(options: { file: string; level: string; now: () => number; deadline: Deadline }): ProgramLog {
  const file = new LogFile(options.file)
  let held = ''
  let waiting: Timer | undefined
  const write = (): void => {
    waiting?.[Symbol.dispose]()
    waiting = undefined
    if (held !== '') file.write(held)
    held = ''
  }
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
            errors.push({ at: options.now(), text: errorText(values) })
            if (errors.length > keptErrors) errors.shift()
          }
          method.apply(this, values)
          if (level >= 50) write()
        },
      },
    },
    {
      write(line) {
        held += line
        if (held.length >= heldCharacters) write()
        else waiting ??= options.deadline.after(heldMs, write)
      },
    },
  )
  return {
    log,
    errors,
    reopen() {
      write()
      file.reopen()
    },
    flush: write,
  }
}

/** The message of a record, and what lay behind it. */
function errorText([facts, message]: readonly unknown[]): string {
  if (message === undefined) return String(facts)
  const { err, error } = Object(facts) as { err?: unknown; error?: unknown }
  const cause = err instanceof Error ? err.message : error
  return cause === undefined ? String(message) : `${message}: ${cause}`
}

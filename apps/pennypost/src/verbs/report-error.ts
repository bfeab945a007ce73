import { AdminError, type AdminRefusal, NoServer } from '@pennypost/admin/client'
import { CommanderError } from 'commander'
import { note } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/**
 * What went wrong, on standard error: for people, or with `--json` as one line `{"error":{"reason","text","advice"}}`, the
 * words of the admin socket. The exit code says whether it was understood.
 */
export interface Fault {
  reason: AdminRefusal
  text: string
  /** One sentence about what to do next, or ''. */
  advice: string
}

export const wantsJson = (args: readonly string[]): boolean => args.includes('--json')

/** Says it; the exit code. */
export function reportError(error: unknown, asJson: boolean): number {
  const fault = faultOf(error)
  if (asJson) note(`${JSON.stringify({ error: fault })}\n`)
  // Commander has said what is wrong.
  else if (!(error instanceof CommanderError)) {
    note(`pennypost: ${fault.text}\n${fault.advice === '' ? '' : `  ${fault.advice}\n`}`)
  }
  return fault.reason === 'bad-input' ? 2 : 1
}

function faultOf(error: unknown): Fault {
  if (error instanceof AdminError) return { reason: error.reason, text: error.message, advice: error.advice }
  if (error instanceof UsageError) return { reason: 'bad-input', text: error.message, advice: '' }
  if (error instanceof CommanderError) {
    const text = error.message.replace(/^error: /, '')
    return { reason: 'bad-input', text, advice: '--help shows what there is.' }
  }
  if (error instanceof NoServer) {
    return { reason: 'needs-server', text: 'No server is running here.', advice: '`npm start` runs the demo.' }
  }
  return (
    systemFault(error) ?? { reason: 'failed', text: error instanceof Error ? error.message : String(error), advice: '' }
  )
}

/** What the system says of a file, as people say it. */
const systemTexts: Readonly<Record<string, (path: string) => Fault>> = {
  ENOENT: (path) => ({ reason: 'not-found', text: `There is no ${path}.`, advice: '' }),
  EISDIR: (path) => ({ reason: 'failed', text: `${path} is a directory.`, advice: 'Name a file.' }),
  ENOTDIR: (path) => ({ reason: 'failed', text: `${path} is no directory, or lies in none.`, advice: '' }),
  EACCES: (path) => ({
    reason: 'not-allowed',
    text: `You may not open ${path}.`,
    advice: 'Run this as the user who runs the server, or as root.',
  }),
}

function systemFault(error: unknown): Fault | undefined {
  const { code = '', path } = (error ?? {}) as NodeJS.ErrnoException
  return path === undefined ? undefined : systemTexts[code]?.(path)
}

import { AdminError, type AdminRefusal, NoServer, systemFault } from '@pennypost/admin/client'
import { CommanderError } from 'commander'
import { clean, jsonOf } from './table.ts'
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
  if (asJson) note(`${jsonOf({ error: fault }, 0)}\n`)
  // Commander has said what is wrong.
  else if (!(error instanceof CommanderError)) {
    note(`pennypost: ${cleanLines(fault.text)}\n${fault.advice === '' ? '' : `  ${cleanLines(fault.advice)}\n`}`)
  }
  return fault.reason === 'bad-input' ? 2 : 1
}

/** It may tell of names that others have given. */
const cleanLines = (text: string): string => text.split('\n').map(clean).join('\n')

function faultOf(error: unknown): Fault {
  if (error instanceof AdminError) {
    // What a verb that reads files says of them comes through an operation where no server runs.
    const reason = error.cause instanceof UsageError ? 'bad-input' : error.reason
    return { reason, text: error.message, advice: error.advice }
  }
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

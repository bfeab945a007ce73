import { AdminError, type AdminRefusal, NoServer, systemFault } from '@pennypost/admin/client'
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

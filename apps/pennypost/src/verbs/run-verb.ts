import { AdminError, NoServer } from '@pennypost/admin/client'
import { Command, CommanderError } from 'commander'
import { note } from './terminal.ts'
import { UsageError } from './usage-error.ts'

/** Runs one verb through commander and turns what goes wrong into a text and an exit code. */
export async function runVerb(register: (program: Command) => void, args: readonly string[]): Promise<number> {
  const program = new Command('pennypost').showHelpAfterError('(--help shows what the verb takes)').exitOverride()
  register(program)
  for (const command of program.commands) inherit(command)
  try {
    await program.parseAsync(args, { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : 0
  } catch (error) {
    return report(error)
  }
}

/** Commander hands its settings to commands that are made after they were set. */
function inherit(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help shows what the verb takes)')
  for (const inner of command.commands) inherit(inner)
}

function report(error: unknown): number {
  if (error instanceof CommanderError) {
    // Commander has said what is wrong; the help of a group without verb is no fault of its own.
    return error.exitCode === 0 ? 0 : 2
  }
  if (error instanceof UsageError) return say(error.message, '', 2)
  if (error instanceof AdminError) return say(error.message, error.advice, error.reason === 'bad-input' ? 2 : 1)
  if (error instanceof NoServer) return say('No server is running here.', '`npm start` runs the demo.', 1)
  return say(error instanceof Error ? error.message : String(error), '', 1)
}

function say(text: string, advice: string, exitCode: number): number {
  note(`pennypost: ${text}\n${advice === '' ? '' : `  ${advice}\n`}`)
  return exitCode
}

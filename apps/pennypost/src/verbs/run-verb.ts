import { Command, type Option } from 'commander'
import { reportError, wantsJson } from './report-error.ts'

/** Runs one verb through commander and turns what goes wrong into a text and an exit code. */
export async function runVerb(register: (program: Command) => void, args: readonly string[]): Promise<number> {
  const asJson = wantsJson(args)
  const program = new Command('pennypost')
  register(program)
  prepare(program, asJson)
  try {
    await program.parseAsync(args, { from: 'user' })
    return typeof process.exitCode === 'number' ? process.exitCode : 0
  } catch (error) {
    const isHelp = (error as { exitCode?: unknown }).exitCode === 0
    return isHelp ? 0 : reportError(error, asJson)
  }
}

/** Commander's own shows that what is not given is false, and not what has to be given. */
function optionDescription({ description, argChoices, defaultValue, mandatory }: Option): string {
  const more = [
    ...(mandatory ? ['required'] : []),
    ...(argChoices ? [argChoices.join(', ')] : []),
    ...(typeof defaultValue === 'string' && defaultValue !== '' ? [`default: ${defaultValue}`] : []),
  ]
  return more.length > 0 ? `${description} (${more.join('; ')})` : description
}

/** Commander hands its settings only to commands that are made after they were set. */
function prepare(command: Command, asJson: boolean): void {
  command.exitOverride().configureHelp({ optionDescription })
  if (asJson) command.configureOutput({ writeErr: () => {} })
  else command.showHelpAfterError('(--help shows what the verb takes)')
  for (const inner of command.commands) prepare(inner, asJson)
}

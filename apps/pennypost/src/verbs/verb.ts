import type { Command } from 'commander'
import { Session, type VerbOptions } from './session.ts'

/** Adds a verb: with `--config` and `--json`, which all have. `usage` as commander reads it: `add <address>`. */
export function addVerb(parent: Command, usage: string, summary: string): Command {
  const command = parent.command(usage).summary(summary).description(summary)
  return withConfig(command).option('--json', 'answer as JSON, also with what went wrong')
}

export function withConfig(command: Command): Command {
  const places = './pennypost.toml, then /etc/pennypost/pennypost.toml'
  return command.option('--config <file>', `configuration file, or its directory (default: ${places})`)
}

/** A verb's action: it gets a session, then its arguments and its options. */
export function inSession<Args extends unknown[]>(
  run: (session: Session, ...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    // Commander gives the arguments, then the options, then the command.
    await using session = new Session(args.at(-2) as VerbOptions)
    await run(session, ...args)
  }
}

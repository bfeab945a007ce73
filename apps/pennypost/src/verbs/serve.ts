import type { Command } from 'commander'
import { clean, jsonOf } from './table.ts'
import { out } from './terminal.ts'
import { UsageError } from './usage-error.ts'
import { withConfig } from './verb.ts'

interface Options {
  config?: string
  demo: boolean
  check: boolean
  json?: boolean
}

/** `serve`: everything of the server is behind this import. */
export function register(program: Command): void {
  withConfig(program.command('serve').description('run the roles of the configuration until SIGTERM'))
    .option('--demo', 'on loopback, with two accounts, without a configuration', false)
    .option('--check', 'say what is wrong with the configuration and the files that it names, and start nothing', false)
    .option('--json', 'say as JSON why it does not start')
    .action(run)
}

async function run({ config, demo, check, json }: Options): Promise<void> {
  if (demo && check) throw new UsageError('--check is for configurations, and --demo needs none.')
  const { checkConfiguration, serve } = await import('../serve/serve.ts')
  if (!check) return serve({ ...(config === undefined ? {} : { configFile: config }), demo })
  const file = await checkConfiguration(config)
  out(json ? `${jsonOf({ file })}\n` : `${clean(file)} has no faults.\n`)
}

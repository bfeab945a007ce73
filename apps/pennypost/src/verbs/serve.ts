import type { Command } from 'commander'
import { withConfig } from './verb.ts'

/** `serve`: everything of the server is behind this import. */
export function register(program: Command): void {
  withConfig(program.command('serve').description('run the roles of the configuration until SIGTERM'))
    .option('--demo', 'on loopback, with two accounts, without a configuration', false)
    .option('--json', 'say as JSON why it does not start')
    .action(async ({ config, demo }: { config?: string; demo: boolean }) => {
      const { serve } = await import('../serve/serve.ts')
      await serve({ ...(config === undefined ? {} : { configFile: config }), demo })
    })
}

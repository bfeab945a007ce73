import type { Command } from 'commander'

/** `serve`: everything of the server is behind this import. */
export function register(program: Command): void {
  program
    .command('serve')
    .description('run the roles of the configuration until SIGTERM')
    .option('--config <file>', 'configuration file (default: ./pennypost.toml, then /etc/pennypost/pennypost.toml)')
    .option('--demo', 'on loopback, with two accounts, without a configuration', false)
    .action(async ({ config, demo }: { config?: string; demo: boolean }) => {
      const { serve } = await import('../serve/serve.ts')
      await serve({ ...(config === undefined ? {} : { configFile: config }), demo })
    })
}

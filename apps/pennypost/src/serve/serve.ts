import { dirname, resolve } from 'node:path'
import { makeDirectory, silentLog, systemClock, systemDeadline } from '@pennypost/model'
import { ConfigError } from '../config/document.ts'
import { loadServedConfig } from '../config/named-files.ts'
import { becomeOwner, findConfigFile, findPlace, isThere, requireOwner } from '../config/place.ts'
import type { Config } from '../config/schema.ts'
import { closedListeners } from '../config/wanted-listeners.ts'
import { UsageError } from '../verbs/usage-error.ts'
import { demoConfig, demoScreen, fillDemo } from './demo.ts'
import { createLog } from './log.ts'
import type { RunningServer, ServerOptions } from './server.ts'
import { openServedStore } from './store.ts'

/**
 * `pennypost serve`: reads the configuration, starts the server, says `ready`, and ends in good order on SIGTERM or
 * SIGINT. SIGHUP, or SIGUSR1, reopens the log and reads certificates anew.
 */
export interface ServeOptions {
  configFile?: string
  demo: boolean
}

/** How long running transactions may take to end before they are cut off. */
const drainMs = 10_000

/** How long clients have for what they are told when the store has failed. */
const partingMs = 1000

export async function serve(options: ServeOptions): Promise<void> {
  // At once: a service manager takes the end by a SIGHUP that nobody listens for as meant, and starts nothing again.
  let onHangUp = (): void => {}
  process.on('SIGHUP', () => onHangUp())
  // For who rotates logs by it; else Node opens its debugger, which obeys every user of the machine.
  process.on('SIGUSR1', () => onHangUp())
  const { config, base } = await settings(options)
  const dataDirectory = resolve(base, config.data_dir)
  requireOwner({ dataDirectory })
  // Before the log, which may lie in it: what is in there is for its owner alone.
  makeDirectory(dataDirectory, 0o700)
  const file = config.log.file === '' ? '' : resolve(base, config.log.file)
  const program = createLog({ file, level: config.log.level, now: systemClock.now, deadline: systemDeadline })
  const { log } = program
  process.once('exit', () => program.flush())
  onHangUp = () => program.reopen()
  let server: RunningServer | undefined
  const forStore = {
    config,
    base,
    log,
    onFatal(error: Error) {
      log.error({ err: error }, 'the store has failed: nothing more is accepted')
      process.stderr.write(`pennypost: the store has failed: ${error.message}\n`)
      const end = (): never => process.exit(74)
      if (server) server.abandon(partingMs).then(end, end)
      else end()
    },
  }
  // The store's thread starts while this one loads all that stands on the store.
  const storeOpening = openServedStore(forStore)
  const startServer = await loadServer(storeOpening)
  const serverOptions: ServerOptions = {
    ...forStore,
    demo: options.demo,
    errors: () => program.errors,
    ...(options.demo ? { prepare: (store, passwords) => fillDemo(store, passwords, systemClock) } : {}),
  }
  server = await startServer(serverOptions, storeOpening)
  for (const { service, bound } of [...server.listeners, ...server.http]) {
    log.info({ service, address: bound.address, port: bound.port }, 'listening')
  }
  for (const closed of closedListeners(config)) log.info({ ...closed }, 'not opened: `roles` has none of these')
  if (!config.roles.includes('relay')) log.warn({}, 'nothing leaves the queue: `roles` has no "relay"')
  if (options.demo) process.stdout.write(demoScreen())
  process.stdout.write('ready\n')
  log.info({}, 'ready')

  onHangUp = () => {
    program.reopen()
    server.reload().then(
      () => log.info({}, 'certificates reloaded; the configuration is read at the next start'),
      (error: Error) => log.error({ error: error.message }, 'certificates not reloaded'),
    )
  }
  const signal = await new Promise<string>((stop) => {
    process.once('SIGTERM', () => stop('SIGTERM'))
    process.once('SIGINT', () => stop('SIGINT'))
  })
  log.info({ signal }, 'draining')
  await server.stop(drainMs)
  log.info({}, 'stopped')
  // Whatever else is under way, an order at a certificate authority for one, nobody waits for.
  process.exit()
}

/**
 * `serve --check`: reads what a server would read of its configuration, as the account that it would run as. Gives the
 * file, and rejects as `serve` does.
 */
export async function checkConfiguration(named?: string): Promise<string> {
  if (findConfigFile(named) !== undefined) becomeOwner(findPlace(named))
  const { file, ...given } = await readConfiguration(named)
  const { tryCertificates } = await import('./certificates.ts')
  await tryCertificates({ ...given, clock: systemClock, log: silentLog })
  return file
}

/** Amid an upgrade files are gone or of another version: with its store open the process would neither serve nor end. */
async function loadServer(storeOpening: ReturnType<typeof openServedStore>) {
  try {
    const [{ startServer }] = await Promise.all([import('./server.ts'), storeOpening])
    return startServer
  } catch (error) {
    await (await storeOpening).close()
    throw error
  }
}

async function settings({ configFile, demo }: ServeOptions): Promise<{ config: Config; base: string }> {
  if (demo && configFile !== undefined)
    throw new UsageError('--demo has a configuration of its own: leave --config out.')
  return demo ? { config: demoConfig(), base: process.cwd() } : readConfiguration(configFile)
}

async function readConfiguration(named?: string): Promise<{ config: Config; base: string; file: string }> {
  const file = findConfigFile(named)
  if (file === undefined || !isThere(file)) {
    throw new ConfigError(file ?? 'pennypost.toml', [
      {
        line: undefined,
        key: '',
        text: 'is not here: `pennypost init --domain DOMAIN` writes one, or give --config FILE',
      },
    ])
  }
  return { config: await loadServedConfig(file), base: dirname(resolve(file)), file }
}

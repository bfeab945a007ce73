import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { ConfigError, type ConfigFault } from './document.ts'
import { lineOfKey } from './key-lines.ts'
import { checkConfig } from './load.ts'
import type { Config } from './schema.ts'

/**
 * The files and the capabilities that a configuration names, looked at before anything is opened, so that whoever mistyped
 * one reads its key and line, and of all of them at once. For the server alone: verbs run as people who need not have a
 * right to the files.
 */

/** Reads and checks a configuration, and that what it names is there. Rejects with `ConfigError` with every fault. */
export async function loadServedConfig(file: string): Promise<Config> {
  const document = readFileSync(file, 'utf8')
  const config = checkConfig(file, document)
  const base = dirname(resolve(file))
  const faults = namedFiles(config).flatMap(([key, path]): ConfigFault[] => {
    const text = whatIsWrong(resolve(base, path))
    return text === undefined ? [] : [{ line: lineOfKey(document, key), key: key.join('.'), text }]
  })
  const directory = notADirectory(resolve(base, config.data_dir))
  if (directory !== undefined)
    faults.push({ line: lineOfKey(document, ['data_dir']), key: 'data_dir', text: directory })
  faults.push(...(await unknownCapabilities(config, document)))
  if (faults.length > 0) throw new ConfigError(file, faults)
  return config
}

/** IMAP is loaded for it only where something is disabled: the server would have its store first. */
async function unknownCapabilities({ imap: { disable } }: Config, document: string): Promise<ConfigFault[]> {
  if (disable.length === 0) return []
  const known = (await import('@pennypost/imap')).capabilityNames()
  const unknown = disable.filter((name) => !known.includes(name.toUpperCase()))
  if (unknown.length === 0) return []
  const text = `names what Pennypost does not have: ${unknown.join(', ')}; it has ${known.join(', ')}`
  return [{ line: lineOfKey(document, ['imap', 'disable']), key: 'imap.disable', text }]
}

type Key = (string | number)[]

/** Key and path of each that has to be there. */
function namedFiles({ tls, relay, auth, policy }: Config): [Key, string][] {
  const pairs = tls?.certificate.flatMap((pair, at): [Key, string][] => [
    [['tls', 'certificate', at, 'cert'], pair.cert],
    [['tls', 'certificate', at, 'key'], pair.key],
  ])
  const all: [Key, string | undefined][] = [
    [['tls', 'cert'], tls?.cert],
    [['tls', 'key'], tls?.key],
    ...(pairs ?? []),
    [['tls', 'acme', 'authority_ca'], tls?.acme?.authority_ca],
    [['relay', 'smarthost_password_file'], relay.smarthost_password_file],
    [['relay', 'ca_file'], relay.ca_file],
    ...relay.route.map(({ password_file: path }, at): [Key, string] => [['relay', 'route', at, 'password_file'], path]),
    ...policy.filter.map(({ password_file: path }, at): [Key, string] => [
      ['policy', 'filter', at, 'password_file'],
      path,
    ]),
    [['auth', 'client_ca'], auth.client_ca],
    [['auth', 'tokens', 'client_secret_file'], auth.tokens?.client_secret_file],
  ]
  return all.filter((each): each is [Key, string] => each[1] !== undefined && each[1] !== '')
}

function whatIsWrong(path: string): string | undefined {
  try {
    if (statSync(path).isDirectory()) return `names a directory: ${path}`
    accessSync(path, constants.R_OK)
    return undefined
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'EACCES' ? `names a file that the server may not read: ${path}` : `names no file: ${path}`
  }
}

/** A data directory that is not there yet is made. */
function notADirectory(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  return found && !found.isDirectory() ? `is no directory: ${path}` : undefined
}

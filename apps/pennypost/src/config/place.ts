import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AdminError } from '@pennypost/admin/client'
import { UsageError } from '../verbs/usage-error.ts'
import { ConfigError, parseDocument } from './document.ts'
import { lineOfKey } from './key-lines.ts'

/**
 * Where an installation is: its configuration file and its data directory. Found without checking the rest of the
 * configuration, since a verb that talks to the running server needs no more than the way to its socket.
 */
export interface Place {
  /** Absent for the demo, which has none. */
  configFile?: string
  dataDirectory: string
}

/** What can be read off a configuration file that may have faults. */
interface Glance {
  data_dir?: unknown
  hostname?: unknown
}

/** No configuration is there. */
export class NoConfiguration extends UsageError {}

/** Where the configuration is looked for when `--config` does not say. */
const placeHere = './pennypost.toml'
export const placeOfSystem = '/etc/pennypost/pennypost.toml'

/** The file that `--config` names, or that lies in the directory it names; without it the one that is found. */
export function findConfigFile(named?: string): string | undefined {
  if (named === undefined) {
    // A directory that may not be looked into is not ours: `runuser` stays where root was.
    if (existsSync(placeHere)) return placeHere
    return isThere(placeOfSystem) ? placeOfSystem : undefined
  }
  return statSync(named, { throwIfNoEntry: false })?.isDirectory() ? join(named, 'pennypost.toml') : named
}

/** What may not be looked at is not absent: the system's error says so. */
export function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}

/** The installation that `--config` names, or else the one that is found. */
export function findPlace(named?: string): Place {
  const file = findConfigFile(named)
  if (file !== undefined) {
    if (!isThere(file)) throw new NoConfiguration(`There is no configuration file ${file}.`)
    return { configFile: resolve(file), dataDirectory: dataDirectoryOf(file, readFileSync(file, 'utf8')) }
  }
  // The demo of a checkout: `npm start` keeps its mail in ./data.
  if (existsSync(adminSocket({ dataDirectory: 'data' }))) return { dataDirectory: resolve('data') }
  throw new NoConfiguration(
    `There is no configuration: ${placeHere} and ${placeOfSystem} are not there.\n` +
      '`pennypost init --domain D` writes one, `--config FILE` names another.',
  )
}

/** What root makes in a data directory, the account that owns it cannot open afterwards. Before anything is opened here. */
export function requireOwner({ dataDirectory }: Place): void {
  const owner = otherOwner(dataDirectory)?.uid
  if (owner === undefined) return
  const text = `${dataDirectory} belongs to uid ${owner}, who could not open what root makes in it.`
  throw new AdminError(
    'not-allowed',
    text,
    `Run this as that account: \`runuser -u "$(id -un ${owner})" -- pennypost …\`.`,
  )
}

/** Root becomes the account that owns the data directory, for good: what it writes there is for that account. */
export function becomeOwner({ dataDirectory }: Place): void {
  const owner = otherOwner(dataDirectory)
  if (!owner) return
  process.setgroups?.([owner.gid])
  process.setgid?.(owner.gid)
  process.setuid?.(owner.uid)
}

/** Who owns a data directory that root works on, unless it is root. */
function otherOwner(dataDirectory: string): { uid: number; gid: number } | undefined {
  const found = statSync(dataDirectory, { throwIfNoEntry: false })
  return found && found.uid !== 0 && process.getuid?.() === 0 ? found : undefined
}

/**
 * `data_dir` counts from the directory of the configuration file. Throws `ConfigError` where it cannot be read: in another
 * place, what is spooled would wait for ever, and what is restored would serve nobody.
 */
function dataDirectoryOf(file: string, document: string): string {
  const { data_dir = 'data', hostname }: Glance = parseDocument(file, document)
  // One that was cut off before `data_dir` has most likely lost this too.
  if (hostname === undefined) throw new ConfigError(file, [{ line: undefined, key: 'hostname', text: 'is missing' }])
  if (typeof data_dir === 'string') return resolve(dirname(file), data_dir)
  const fault = { line: lineOfKey(document, ['data_dir']), key: 'data_dir', text: 'has to be text in quotes: "…"' }
  throw new ConfigError(file, [fault])
}

/** The hostname that the configuration gives; undefined without one. */
export function hostnameOf({ configFile }: Place): string | undefined {
  if (configFile === undefined) return undefined
  const { hostname }: Glance = parseDocument(configFile, readFileSync(configFile, 'utf8'))
  return typeof hostname === 'string' ? hostname : undefined
}

export const adminSocket = ({ dataDirectory }: Place): string => resolve(dataDirectory, 'admin.sock')
/** SMTP for programs of this machine. */
export const submissionSocket = ({ dataDirectory }: Pick<Place, 'dataDirectory'>): string =>
  resolve(dataDirectory, 'submission.sock')
/** In the data directory, since the running server makes keys for the domains that are added. */
export const dkimDirectory = ({ dataDirectory }: Place): string => resolve(dataDirectory, 'dkim')
export const spoolDirectory = ({ dataDirectory }: Place): string => resolve(dataDirectory, 'spool')

import { parse, TomlError } from 'smol-toml'
import { UsageError } from '../verbs/usage-error.ts'

/** A configuration file as TOML, before anything is known of its keys; light enough for every verb. */

/** Everything that is wrong with a configuration file, at once. */
export class ConfigError extends UsageError {
  readonly faults: readonly ConfigFault[]

  constructor(file: string, faults: readonly ConfigFault[]) {
    const lines = faults.map(({ line, key, text }) => {
      const place = line === undefined ? file : `${file}:${line}`
      return `  ${place}: ${key === '' ? '' : `${key} `}${text}`
    })
    super(`${faults.length === 1 ? 'One fault' : `${faults.length} faults`} in the configuration:\n${lines.join('\n')}`)
    this.faults = faults
  }
}

export interface ConfigFault {
  line: number | undefined
  /** Dotted, '' for the whole file. */
  key: string
  text: string
}

/** Throws `ConfigError` where it is no TOML. */
export function parseDocument(file: string, document: string): { [key: string]: unknown } {
  try {
    return parse(document)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const text = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? ''
    throw new ConfigError(file, [{ line: error.line, key: '', text: `is not TOML: ${text}` }])
  }
}

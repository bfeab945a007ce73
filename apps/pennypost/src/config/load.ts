import { readFileSync } from 'node:fs'
import type { z } from 'zod'
import { ConfigError, type ConfigFault, parseDocument } from './document.ts'
import { lineOfKey } from './key-lines.ts'
import { type Config, configSchema } from './schema.ts'

/** Reads and checks a configuration file. Throws `ConfigError` with every fault, or the system's error. */
export function loadConfig(file: string): Config {
  return checkConfig(file, readFileSync(file, 'utf8'))
}

/** Checks the text of a configuration. */
export function checkConfig(file: string, document: string): Config {
  const values = parseDocument(file, document)
  const result = configSchema.safeParse(values)
  if (result.success) return result.data
  throw new ConfigError(
    file,
    result.error.issues.flatMap((issue) => faultsOf(issue, document, values)),
  )
}

/** What the schema calls a type, as whoever writes TOML does. */
const kinds: Readonly<Record<string, string>> = {
  string: 'text in quotes: "…"',
  number: 'a number without quotes',
  int: 'a whole number without quotes',
  boolean: 'true or false, without quotes',
  array: 'a list: […], or [[…]] where it is of tables',
  object: 'a table',
}

function faultsOf(issue: z.core.$ZodIssue, document: string, values: unknown): ConfigFault[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  const fault = (at: readonly (string | number)[], text: string): ConfigFault => ({
    line: lineOfKey(document, at),
    key: at.join('.'),
    text,
  })
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => fault([...path, key], 'is not a key that Pennypost knows'))
  }
  const isType = issue.code === 'invalid_type'
  if ((isType || issue.code === 'invalid_value') && valueAt(values, path) === undefined) {
    return [fault(path, issue.code === 'invalid_value' ? `is missing; it is ${oneOf(issue.values)}` : 'is missing')]
  }
  if (issue.code === 'invalid_value') return [fault(path, `has to be ${oneOf(issue.values)}`)]
  if (issue.code === 'invalid_union') {
    // Of the forms that a value may have, the one that it has by its type.
    const form = issue.errors.find((issues) => !issues.some(isOtherType))
    if (form)
      return form.flatMap((each) => faultsOf({ ...each, path: [...issue.path, ...each.path] }, document, values))
  }
  if (isType) return [fault(path, `has to be ${kinds[issue.expected] ?? issue.expected}`)]
  return [fault(path, issue.message.charAt(0).toLowerCase() + issue.message.slice(1))]
}

const isOtherType = ({ code, path }: z.core.$ZodIssue): boolean => code === 'invalid_type' && path.length === 0

/** `"a", "b" or "c"`, as TOML writes them. */
function oneOf(values: readonly unknown[]): string {
  const written = values.map((value) => JSON.stringify(value))
  const last = written.pop() ?? ''
  return written.length === 0 ? last : `${written.join(', ')} or ${last}`
}

function valueAt(values: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((value, part) => (Object(value) as Record<string | number, unknown>)[part], values)
}

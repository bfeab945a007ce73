/** dkimpy, for a second opinion. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process'

/** Messages, and TXT records by name. */
export interface GivenToDkimpy {
  messages: readonly string[]
  records: Readonly<Record<string, string>>
}

/** What a script finds there: `given`, and `find` for its lookups. Status 3: no dkimpy. */
const prelude = `
import sys, json
try: import dkim, nacl
except ImportError: sys.exit(3)
given = json.load(sys.stdin)
find = lambda name, timeout=5: given['records'].get(name.decode().rstrip('.'), '').encode()
`

export const noDkimpy = 'no Python with dkimpy and PyNaCl (Debian: python3-dkim, python3-nacl)'

/** What the script prints, in whichever Python has dkimpy; undefined where none has. */
export function askDkimpy(script: string, given: GivenToDkimpy): SpawnSyncReturns<string> | undefined {
  return ['python3', '/usr/bin/python3']
    .map((path) => spawnSync(path, ['-c', prelude + script], { input: JSON.stringify(given), encoding: 'utf8' }))
    .find(({ status, error }) => !error && status !== 3)
}

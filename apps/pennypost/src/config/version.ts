import { readFileSync } from 'node:fs'

/** The version in the package.json of the checkout, or of the bundle. */
export function version(): string {
  for (const place of ['../../package.json', './package.json']) {
    try {
      return String(JSON.parse(readFileSync(new URL(place, import.meta.url), 'utf8')).version)
    } catch {
      // The other layout.
    }
  }
  return 'unknown'
}

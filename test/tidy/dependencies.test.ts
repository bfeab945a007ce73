/** What the lock file and the package.json files promise: the same packages everywhere, from anywhere, under fair terms. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Manifest, mustHold, read, readJson, root, workspaces } from './tree.ts'

interface Locked {
  dev?: boolean
  link?: boolean
  resolved?: string
  optionalDependencies?: Record<string, string>
}

const lock = readJson<{ packages: Record<string, Locked> }>('package-lock.json').packages

test('the lock file names no registry', () => {
  mustHold(
    'package-lock.json has no download addresses (omit-lockfile-registry-resolved in .npmrc)',
    [...read('package-lock.json').matchAll(/"resolved": "http[^"]*"/g)].map(([match]) => match),
  )
})

test('the lock file is complete for every platform', () => {
  mustHold(
    'every optional dependency has an entry in package-lock.json, or `npm ci` refuses it elsewhere',
    Object.entries(lock).flatMap(([path, { optionalDependencies }]) =>
      Object.keys(optionalDependencies ?? {})
        .filter((name) => !isLocked(name, path))
        .map((name) => `${name}, optional for ${path || 'the workspace root'}`),
    ),
  )
})

/** `name` is found from `path` as Node would: in its own node_modules or one further up. */
function isLocked(name: string, path: string): boolean {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
    if (lock[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]) return true
    if (at === '') return false
  }
}

test('every version is exact', () => {
  const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/
  const manifests = ['package.json', ...workspaces.map(({ directory }) => `${directory}/package.json`)]
  mustHold(
    'a dependency names one version, without ^ or ~',
    manifests.flatMap((path) => {
      const manifest = readJson<Manifest & { overrides?: Record<string, string> }>(path)
      const { dependencies, devDependencies, optionalDependencies, overrides } = manifest
      return [dependencies, devDependencies, optionalDependencies, overrides].flatMap((group) =>
        Object.entries(group ?? {}).flatMap(([name, version]) =>
          exact.test(version) ? [] : [`${path}: ${name} ${version}`],
        ),
      )
    }),
  )
})

/** Licences whose terms an MIT program can keep by passing on their text, as the bundle does. */
const allowed = ['MIT', 'MIT-0', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']

/** An SPDX expression of at most one level: one of the alternatives is allowed as a whole. */
function isAllowed(licence: string): boolean {
  const plain = licence.replace(/^\((.*)\)$/, '$1')
  return plain.split(' OR ').some((choice) => choice.split(' AND ').every((name) => allowed.includes(name)))
}

test('licence expressions are understood', () => {
  expect(['MIT', '(MIT OR EUPL-1.1+)', 'MIT AND ISC'].every(isAllowed)).toBe(true)
  expect(['EUPL-1.2', 'MIT AND GPL-3.0', 'UNLICENSED', ''].some(isAllowed)).toBe(false)
})

test('every package that ships has a licence that fits MIT', () => {
  mustHold(
    `the licence of a production dependency is one of ${allowed.join(', ')}`,
    Object.entries(lock).flatMap(([path, { dev, link }]) => {
      const manifest = join(root, path, 'package.json')
      // Binaries for other platforms are locked, but not installed.
      if (dev || link || !path.includes('node_modules/') || !existsSync(manifest)) return []
      const { license } = JSON.parse(readFileSync(manifest, 'utf8')) as { license?: string }
      return isAllowed(license ?? '') ? [] : [`${path}: ${license ?? 'none named'}`]
    }),
  )
})

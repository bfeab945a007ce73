/** What every package owes its readers and users. */
import { test } from 'vitest'
import { type Import, importsOf, parse, walk } from './syntax.ts'
import { countLines, files, isTest, mustHold, place, read, sources, workspaces } from './tree.ts'

test('every package says what it is for', () => {
  const tooShort = 10
  mustHold(
    'a package has a description, and a README.md with purpose, public surface, theory of operation, limits',
    workspaces.flatMap(({ directory, manifest }) => {
      const readme = `${directory}/README.md`
      const missing = !files.includes(readme) || countLines(read(readme)) < tooShort
      return [...(missing ? [readme] : []), ...(manifest.description ? [] : [`${directory}/package.json`])]
    }),
  )
})

test('every package has one public surface', () => {
  mustHold(
    'a package has src/index.ts, and what its package.json exports exists',
    workspaces
      .filter(({ directory }) => directory.startsWith('packages/'))
      .flatMap(({ directory, manifest }) => {
        const offered = ['./src/index.ts', ...Object.values(manifest.exports ?? {})]
        return [...new Set(offered)]
          .map((path) => `${directory}/${path.slice(2)}`)
          .filter((path) => !files.includes(path))
      }),
  )
})

test('exports have names', () => {
  mustHold(
    'no default exports: a thing has one name everywhere',
    sources
      .filter((path) => /^(packages|apps)\//.test(path))
      .flatMap((path) => {
        const found: string[] = []
        walk(parse(path), ({ type, start }) => {
          if (type === 'ExportDefaultDeclaration') found.push(place(path, start))
        })
        return found
      }),
  )
})

test('no test file is left out of all projects', () => {
  const included = /^(?:(?:packages|apps)\/[^/]+\/(?:src|test)|test\/(?:conformance|e2e|interop|fuzz|upgrade|tidy))\//
  mustHold(
    'a test file lies where vitest.config.ts looks for it',
    files.filter(
      (path) => /\.(?:test|spec)\.[a-z]+$/.test(path) && !(included.test(path) && path.endsWith('.test.ts')),
    ),
  )
})

test('no source file is dead', () => {
  const reached = new Set<string>()
  const follow = (path: string): void => {
    if (reached.has(path) || !sources.includes(path)) return
    reached.add(path)
    for (const target of targetsOf(path)) follow(target)
  }
  for (const path of sources) if (isEntry(path)) follow(path)
  mustHold(
    'every file of a package is reached from what the package exports, a test, or an entry of the program',
    workspaces.flatMap(({ sources: own }) =>
      own.filter((path) => /^[^/]+\/[^/]+\/src\//.test(path) && !reached.has(path)),
    ),
  )
})

/** Where reading begins: exports of packages, programs and workers (always `main.ts`), tests. */
function isEntry(path: string): boolean {
  const exported = workspaces.flatMap(({ directory, manifest }) =>
    Object.values(manifest.exports ?? {}).map((file) => `${directory}/${file.slice(2)}`),
  )
  return exported.includes(path) || isTest(path) || path.endsWith('/main.ts')
}

/** The files that a file imports by a relative path, and those it starts as workers by `new URL(…)`. */
function targetsOf(path: string): string[] {
  const resolve = (specifier: string) => new URL(specifier, `file:///${path}`).pathname.slice(1)
  const imported = importsOf(path).filter(({ specifier }: Import) => specifier.startsWith('.'))
  const urls = [...read(path).matchAll(/new URL\(\s*['"](\.[^'"]+)['"]/g)].map(([, specifier = '']) => specifier)
  return [...imported.map(({ specifier }) => specifier), ...urls].map(resolve)
}

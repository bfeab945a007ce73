/** Who may import whom: dependencies point downwards only, and only at what a package offers. */
import { dirname, join } from 'node:path/posix'
import { expect, test } from 'vitest'
import { type Import, importsOf } from './syntax.ts'
import {
  isTest,
  type Manifest,
  mustHold,
  place,
  readJson,
  sources,
  type Workspace,
  workspaceOf,
  workspaces,
} from './tree.ts'

/** From the top down. A package imports from the layers below its own, never beside or above it. */
const layers: readonly (readonly string[])[] = [
  ['pennypost'],
  ['admin'],
  ['reception', 'relay', 'imap', 'pop3'],
  ['mda', 'smtp', 'message-auth', 'sasl', 'transport', 'acme', 'dns', 'message'],
  ['model'],
]

/** Storage engines stand aside: they know the model only, and only an application knows them. */
const engines: readonly string[] = ['storage-sqlite']

function mayImport(from: string, to: string): boolean {
  if (engines.includes(from)) return to === 'model'
  const upper = layers.findIndex((layer) => layer.includes(from))
  if (engines.includes(to)) return upper === 0
  return upper < layers.findIndex((layer) => layer.includes(to))
}

const rootManifest = readJson<Manifest>('package.json')
const scope = '@pennypost/'

/** `@scope/name/sub` → `@scope/name`; undefined for Node's own modules and relative paths. */
function packageName(specifier: string): string | undefined {
  if (/^(node:|[./])/.test(specifier)) return undefined
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Every import of the given files, with the file and the workspace that it stands in. */
function eachImport(
  paths: readonly string[],
): (Import & { path: string; workspace: Workspace | undefined; at: string })[] {
  return paths.flatMap((path) =>
    importsOf(path).map((found) => ({
      ...found,
      path,
      workspace: workspaceOf(path),
      at: `${place(path, found.start)} imports ${found.specifier}`,
    })),
  )
}

const imports = eachImport(sources)

test('every package has its place in the layer table', () => {
  const known = [...layers.flat(), ...engines]
  mustHold(
    'a package stands in the table of test/tidy/layers.test.ts',
    workspaces.filter(({ folder }) => !known.includes(folder)).map(({ directory }) => directory),
  )
  const folders = workspaces.map(({ folder }) => folder)
  mustHold(
    'what stands in the table of test/tidy/layers.test.ts is there',
    known.filter((folder) => !folders.includes(folder)),
  )
})

test('the table allows what it should and nothing else', () => {
  expect(mayImport('imap', 'sasl')).toBe(true)
  expect(mayImport('pennypost', 'storage-sqlite')).toBe(true)
  expect(mayImport('storage-sqlite', 'model')).toBe(true)
  expect(mayImport('imap', 'pop3')).toBe(false)
  expect(mayImport('model', 'smtp')).toBe(false)
  expect(mayImport('relay', 'storage-sqlite')).toBe(false)
  expect(mayImport('storage-sqlite', 'message')).toBe(false)
})

test('imports between packages point downwards', () => {
  const target = (name: string | undefined) => workspaces.find(({ manifest }) => manifest.name === name)?.folder
  const inCode = imports.flatMap(({ specifier, workspace, at }) => {
    const to = target(packageName(specifier))
    return workspace && to && to !== workspace.folder && !mayImport(workspace.folder, to) ? [at] : []
  })
  const declared = workspaces.flatMap(({ folder, directory, manifest }) =>
    Object.keys(manifest.dependencies ?? {}).flatMap((name) => {
      const to = target(name)
      return to && !mayImport(folder, to) ? [`${directory}/package.json depends on ${name}`] : []
    }),
  )
  mustHold('a package imports from lower layers only', [...inCode, ...declared])
})

test('another package is reached by what it exports', () => {
  mustHold(
    'an import of another package names one of its declared `exports`, never a file of it',
    imports.flatMap(({ specifier, path, workspace, at }) => {
      if (specifier.startsWith('.')) {
        const target = workspaceOf(join(dirname(path), specifier))
        const leaves = target !== workspace && (workspace !== undefined || target?.directory.startsWith('packages/'))
        return leaves && !isOutsideTest(path, target) ? [at] : []
      }
      const owner = workspaces.find(({ manifest }) => manifest.name === packageName(specifier))
      if (!owner) return specifier.startsWith(scope) ? [at] : []
      return owner.manifest.exports?.[`.${specifier.slice(owner.manifest.name.length)}`] ? [] : [at]
    }),
  )
})

/** A test of an application may reach for what is shared between tests, such as `test/e2e/…`. */
function isOutsideTest(path: string, target: Workspace | undefined): boolean {
  return isTest(path) && target === undefined
}

test('what is imported is declared', () => {
  const everywhere = new Set(workspaces.flatMap(({ manifest }) => Object.keys(manifest.dependencies ?? {})))
  mustHold(
    'an imported package is named in the package.json of who imports it (test code: or of the root)',
    imports.flatMap(({ specifier, path, workspace, at }) => {
      const name = packageName(specifier)
      if (name === undefined || name === workspace?.manifest.name) return []
      if (workspace?.manifest.dependencies?.[name]) return []
      if ((workspace === undefined || isTest(path)) && rootManifest.devDependencies?.[name]) return []
      if (workspace === undefined && (everywhere.has(name) || name.startsWith(scope))) return []
      return [at]
    }),
  )
})

test('what is declared is imported', () => {
  const used = new Set(imports.map(({ specifier, workspace }) => `${workspace?.directory} ${packageName(specifier)}`))
  mustHold(
    'a dependency of a package is imported by it',
    workspaces.flatMap(({ directory, manifest }) =>
      Object.keys(manifest.dependencies ?? {}).flatMap((name) =>
        used.has(`${directory} ${name}`) ? [] : [`${directory}/package.json depends on ${name}`],
      ),
    ),
  )
})

test('a dynamic import names a module of our own', () => {
  mustHold(
    'import(…) loads our own modules, which then import a package by name (in a bundle it gives only the default of a CommonJS package)',
    imports.flatMap(({ specifier, isDynamic, path, at }) =>
      isDynamic && !isTest(path) && !/^(node:|[./]|@pennypost\/)/.test(specifier) ? [at] : [],
    ),
  )
})

test('no import cycles inside a package', () => {
  const graph = new Map<string, string[]>()
  for (const { path, specifier, isType } of imports) {
    if (isType || !specifier.startsWith('.')) continue
    const target = join(dirname(path), specifier)
    if (workspaceOf(path) === workspaceOf(target)) graph.set(path, [...(graph.get(path) ?? []), target])
  }
  mustHold(
    'modules of a package do not import each other in a circle (types aside)',
    findCycles(graph).map((cycle) => cycle.join(' → ')),
  )
})

test('a circle of imports is found', () => {
  const graph = new Map(Object.entries({ a: ['b'], b: ['c', 'd'], c: ['a'], d: [] }))
  expect(findCycles(graph)).toEqual([['a', 'b', 'c', 'a']])
})

/** One cycle for every edge that closes one, in depth-first order. */
function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const visit = (node: string, trail: readonly string[]): void => {
    const since = trail.indexOf(node)
    if (since !== -1) cycles.push([...trail.slice(since), node])
    if (since !== -1 || done.has(node)) return
    for (const next of graph.get(node) ?? []) visit(next, [...trail, node])
    done.add(node)
  }
  for (const node of graph.keys()) visit(node, [])
  return cycles
}

/**
 * Makes `dist/`: what is published, packaged or put into an image. Node refuses to run TypeScript under node_modules, and
 * a bundle starts faster than a thousand files, so everything but the native addons is joined into a few modules.
 *
 * All modules of a bundle, chunks too, lie side by side in `dist/`: a worker's URL is `new URL('./NAME.js',
 * import.meta.url)` from anywhere in it, with the names of the table below.
 *
 * Who calls it: `npm run bundle`, the test that starts the result from an empty directory, and what deploy/ describes.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Metafile } from 'esbuild'

/** The programs of a bundle: name in dist/ (without `.js`) → source. Whatever a Worker is started from is one of them. */
export const entries: Record<string, string> = {
  main: 'apps/pennypost/src/main.ts',
  writer: 'packages/storage-sqlite/src/writer/main.ts',
  keeper: 'packages/storage-sqlite/src/keeper/main.ts',
  search: 'apps/pennypost/src/serve/search-thread.ts',
  checks: 'packages/message-auth/src/checks/main.ts',
}

/** Files that a bundle takes over as they are: path in dist/ → source. */
export const copies: Record<string, string> = {
  'bin/pennypost.js': 'apps/pennypost/bin/pennypost.js',
  LICENSE: 'LICENSE',
}

/** What is installed beside the bundle instead of being part of it: these find their native addon by their own path. */
export const externals = ['better-sqlite3', 'bcrypt']

export interface BundleOptions {
  /** The directory that holds the sources and node_modules. */
  root: string
  /** Emptied first. */
  outDir: string
  entries: Record<string, string>
  copies: Record<string, string>
}

interface Manifest {
  version: string
  description: string
  license: string
  dependencies?: Record<string, string>
}

function readManifest(directory: string): Manifest {
  return JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as Manifest
}

/** The exact version of `name` that the workspaces ask for; an error if they ask for none or for several. */
function pinnedVersion(root: string, name: string): string {
  const manifests = ['packages', 'apps'].flatMap((place) =>
    readdirSync(join(root, place)).map((directory) => readManifest(join(root, place, directory))),
  )
  const versions = new Set(manifests.flatMap((manifest) => manifest.dependencies?.[name] ?? []))
  const [version] = versions
  if (version === undefined || versions.size > 1) {
    throw new Error(
      `bundle: ${name} is external, but the workspaces pin ${[...versions].join(' and ') || 'no version'}`,
    )
  }
  return version
}

/** The package.json of the bundle: what must be installed beside it, and the Node that it needs. */
function bundleManifest(root: string): object {
  const app = readManifest(join(root, 'apps/pennypost'))
  return {
    name: 'pennypost',
    version: app.version,
    description: readManifest(root).description,
    license: app.license,
    type: 'module',
    bin: { pennypost: 'bin/pennypost.js' },
    engines: { node: '>=24.20' },
    dependencies: Object.fromEntries(externals.map((name) => [name, pinnedVersion(root, name)])),
  }
}

/** The licence texts of all packages that are part of the bundle, as most of those licences ask. */
function notices(root: string, metafile: Metafile): string {
  const directories = new Set<string>()
  for (const input of Object.keys(metafile.inputs)) {
    const directory = /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0]
    if (directory) directories.add(directory)
  }
  const sections = [...directories].sort().map((directory) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
    const file = readdirSync(join(root, directory)).find((entry) => /^licen[cs]e/i.test(entry))
    const text = file ? readFileSync(join(root, directory, file), 'utf8').trim() : `Licence: ${license}`
    return `${name} ${version}\n\n${text}\n`
  })
  return sections.join(`\n${'-'.repeat(80)}\n\n`)
}

/** Writes the bundle and returns the names of the modules in it. Fails, naming it, if a listed source is missing. */
export async function bundle({ root, outDir, entries, copies }: BundleOptions): Promise<string[]> {
  const missing = [...Object.values(entries), ...Object.values(copies)].filter((path) => !existsSync(join(root, path)))
  if (missing.length > 0) throw new Error(`bundle: listed in scripts/bundle.ts, but missing: ${missing.join(', ')}`)
  rmSync(outDir, { recursive: true, force: true })
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: outDir,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: externals,
    // CommonJS packages inside an ES module still ask for Node's own modules by require.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
  })
  for (const [target, source] of Object.entries(copies)) {
    mkdirSync(dirname(join(outDir, target)), { recursive: true })
    cpSync(join(root, source), join(outDir, target))
  }
  writeFileSync(join(outDir, 'package.json'), `${JSON.stringify(bundleManifest(root), null, 2)}\n`)
  writeFileSync(join(outDir, 'THIRD-PARTY-NOTICES.txt'), notices(root, metafile))
  return Object.keys(entries).map((name) => `${name}.js`)
}

if (import.meta.main) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  try {
    const modules = await bundle({ root, outDir: join(root, 'dist'), entries, copies })
    console.log(`dist/: ${modules.join(', ')}; \`npm install --ignore-scripts\` in there makes it run`)
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}

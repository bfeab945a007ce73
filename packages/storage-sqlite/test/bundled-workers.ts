import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/**
 * The worker threads as one file each, as in a release. A test opens many stores, and each would parse all sources
 * again; this way opening one takes a fifth of the time.
 */
const root = join(import.meta.dirname, '..')
const outdir = join(root, '../../node_modules/.cache/pennypost-storage-sqlite', String(process.pid))
let built: Promise<Bundles> | undefined

export function bundledWorkers(): Promise<Bundles> {
  built ??= bundle()
  return built
}

interface Bundles {
  writer: URL
  keeper: URL
  search: URL
  /** The program that the crash test kills. */
  crashChild: string
}

async function bundle(): Promise<Bundles> {
  await build({
    entryPoints: {
      writer: join(root, 'src/writer/main.ts'),
      keeper: join(root, 'src/keeper/main.ts'),
      search: join(root, 'test/search-thread.ts'),
      child: join(root, 'test/crash-child.ts'),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outdir,
    outExtension: { '.js': '.mjs' },
    external: ['better-sqlite3'],
  })
  return {
    writer: pathToFileURL(join(outdir, 'writer.mjs')),
    keeper: pathToFileURL(join(outdir, 'keeper.mjs')),
    search: pathToFileURL(join(outdir, 'search.mjs')),
    crashChild: join(outdir, 'child.mjs'),
  }
}

import fs from 'node:fs'
import promises, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join, relative, resolve } from 'node:path'

/**
 * Watches what a piece of work does by `node:fs`, and tells what the power could take of it. POSIX promises no more than
 * this: what a file holds is safe when the file was synced after it was written, and a name that was made, moved or taken
 * away is so when its directory was. What native code writes (SQLite) is not seen.
 *
 * Nothing else may use files meanwhile.
 */

/** Paths below `root` whose name or content would not be sure to survive, sorted. */
export async function lostWithPower(root: string, work: () => unknown): Promise<string[]> {
  const unsure = new Unsure()
  const restore = [patch(fs, 'Sync', unsure), patch(promises, '', unsure)]
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    for (const undo of restore) undo()
    syncBuiltinESMExports()
  }
  const paths = [...new Set([...unsure.names, ...unsure.contents])].map((path) => relative(root, path))
  return paths.filter((path) => !path.startsWith('..')).sort()
}

type Any = (...args: never[]) => unknown
type Path = string

class Unsure {
  readonly names = new Set<string>()
  readonly contents = new Set<string>()
  readonly #files = new Map<number, string>()

  named(path: Path): void {
    this.names.add(resolve(path))
  }

  written(path: Path): void {
    this.named(path)
    this.contents.add(resolve(path))
  }

  /** Another name of the same file. */
  linked(from: Path, to: Path): void {
    this.named(to)
    if (this.contents.has(resolve(from))) this.contents.add(resolve(to))
  }

  removed(path: Path): void {
    this.named(path)
    this.contents.delete(resolve(path))
  }

  synced(path: Path): void {
    this.contents.delete(resolve(path))
    for (const name of this.names) if (dirname(name) === resolve(path)) this.names.delete(name)
  }

  opened(file: number | FileHandle, path: Path, flags: string | number = 'r'): void {
    if (typeof flags === 'string' && /[wa]/.test(flags)) this.written(path)
    if (typeof file === 'number') {
      this.#files.set(file, path)
      return
    }
    for (const name of ['sync', 'datasync'] as const) {
      const sync = file[name].bind(file)
      file[name] = async () => {
        await sync()
        this.synced(path)
      }
    }
  }

  fsync(fd: number): void {
    const path = this.#files.get(fd)
    if (path !== undefined) this.synced(path)
  }
}

/** What is noted after a function of `node:fs` has done its work: by its name, without `Sync`. */
function notes(unsure: Unsure): Record<string, (result: never, ...args: never[]) => void> {
  return {
    mkdir(first: Path | undefined, path: Path) {
      // With `recursive` those above it too, from `first` on.
      for (let at = resolve(path); at !== dirname(first ?? path) && at !== '/'; at = dirname(at)) unsure.named(at)
    },
    rename(_: unknown, from: Path, to: Path) {
      unsure.linked(from, to)
      unsure.removed(from)
    },
    link: (_: unknown, from: Path, to: Path) => unsure.linked(from, to),
    rm: (_: unknown, path: Path) => unsure.removed(path),
    copyFile: (_: unknown, __: Path, to: Path) => unsure.written(to),
    cp(_: unknown, __: Path, to: Path) {
      unsure.written(to)
      if (!fs.statSync(to).isDirectory()) return
      for (const name of fs.readdirSync(to, { recursive: true, encoding: 'utf8' })) unsure.written(join(to, name))
    },
    writeFile(_: unknown, path: Path, __: unknown, options?: { flush?: boolean }) {
      unsure.written(path)
      if (options?.flush) unsure.contents.delete(resolve(path))
    },
    open: (file: number | FileHandle, path: Path, flags?: string | number) => unsure.opened(file, path, flags),
    fsync: (_: unknown, fd: number) => unsure.fsync(fd),
    fdatasync: (_: unknown, fd: number) => unsure.fsync(fd),
  }
}

function patch(module: object, ending: string, unsure: Unsure): () => void {
  const functions = module as Record<string, Any>
  const originals: [string, Any][] = []
  for (const [name, note] of Object.entries(notes(unsure))) {
    const original = functions[name + ending]
    if (!original) continue
    originals.push([name + ending, original])
    functions[name + ending] = (...args: never[]) => {
      const result = original(...args)
      if (!(result instanceof Promise)) {
        note(result as never, ...args)
        return result
      }
      return result.then((value) => {
        note(value as never, ...args)
        return value
      })
    }
  }
  return () => {
    for (const [name, original] of originals) functions[name] = original
  }
}

/**
 * What the house rules look at: the repository's files, its workspaces, and how a breach is reported.
 *
 * Who calls it: the tests of this folder. Paths are relative to the root, with forward slashes.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Everything under version control and everything new, but nothing that git ignores. */
export const files: readonly string[] = listFiles()

function listFiles(): string[] {
  // A clone may belong to another user than the one who runs the tests, which git refuses unless told.
  const options = ['-c', 'safe.directory=*', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const names = execFileSync('git', options, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 }).split('\0')
  return [...new Set(names)].filter((name) => name !== '' && existsSync(join(root, name))).sort()
}

const texts = new Map<string, string>()

/** The text of a file. */
export function read(path: string): string {
  let text = texts.get(path)
  if (text === undefined) {
    text = readFileSync(join(root, path), 'utf8')
    texts.set(path, text)
  }
  return text
}

export function readJson<T>(path: string): T {
  return JSON.parse(read(path)) as T
}

/** Program text: what biome, tsc and people read. */
export const sources: readonly string[] = files.filter((path) => /\.(ts|tsx|js)$/.test(path))

/** Test code, which may do what the program may not: tests, contract suites and everything under a `test` folder. */
export function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path) || /(^|\/)(test|contract)\//.test(path)
}

export interface Manifest {
  name: string
  description?: string
  exports?: Record<string, string>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
}

export interface Workspace {
  /** `packages/imap` */
  directory: string
  /** `imap` */
  folder: string
  manifest: Manifest
  sources: string[]
}

export const workspaces: readonly Workspace[] = files.flatMap((path) => {
  const found = /^((?:packages|apps)\/([^/]+))\/package\.json$/.exec(path)
  if (!found) return []
  const [, directory, folder] = found as unknown as [string, string, string]
  const own = sources.filter((source) => source.startsWith(`${directory}/`))
  return [{ directory, folder, manifest: readJson<Manifest>(path), sources: own }]
})

/** The workspace that a file belongs to, if any. */
export function workspaceOf(path: string): Workspace | undefined {
  return workspaces.find((workspace) => path.startsWith(`${workspace.directory}/`))
}

/** `path:line` of an offset in the file's text, as editors understand it. */
export function place(path: string, offset: number): string {
  return `${path}:${lineOf(read(path), offset)}`
}

/** The number of the line, from 1, that holds `offset`. */
export function lineOf(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1
  return line
}

/** How many lines a text has, the last one counted whether or not it is ended. */
export function countLines(text: string): number {
  return text === '' ? 0 : lineOf(text, text.length - 1)
}

/** Fails with the rule and every breach of it, one a line. */
export function mustHold(rule: string, breaches: readonly string[]): void {
  if (breaches.length > 0) throw new Error(`House rule: ${rule}\n  ${breaches.join('\n  ')}`)
}

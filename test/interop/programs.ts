/**
 * Foreign mail programs for interop tests: whether the machine has them, and running one to its end. A test that needs
 * a program which is not there is skipped and says in its name what it needs.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Whether a program of that name is in PATH. */
export function has(program: string): boolean {
  return find(program) !== undefined
}

/** Where in PATH a program is. */
export function find(program: string): string | undefined {
  const places = (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, program))
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

export interface RunOptions {
  input?: string | Buffer
  /** Home of the program: none of the machine's own settings reach it. */
  home: string
}

/** Longer than any of these programs takes, shorter than a test may. */
const patienceMs = 60_000

/** Runs a program to its end; one that hangs is killed, and then `code` is null. */
export function run(program: string, args: readonly string[], { input = '', home }: RunOptions): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: home,
      env: { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8' },
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (octets: Buffer) => stdout.push(octets))
    child.stderr.on('data', (octets: Buffer) => stderr.push(octets))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
    )
    // A program that ends without reading its input is no fault of the test.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

export interface Home extends Disposable {
  readonly path: string
}

/** A directory of its own for settings and mail of a program, removed in the end. */
export function makeHome(): Home {
  const path = mkdtempSync(join(tmpdir(), 'pennypost-interop-'))
  return {
    path,
    [Symbol.dispose]() {
      rmSync(path, { recursive: true, force: true })
    },
  }
}

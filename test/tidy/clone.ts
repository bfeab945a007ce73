/**
 * Throw-away directories and programs started in them, for the tests that look at the house from outside.
 *
 * Who calls it: the tests of this folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

/** A directory that vanishes with the scope that holds it. */
export class TemporaryDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'pennypost-tidy-'))

  /** Writes a file and returns its path. */
  write(name: string, text: string, mode = 0o644): string {
    const path = join(this.path, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text, { mode })
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** PATH as it was before npm put this repository's own programs in front. */
export const machinePath: string = (process.env.PATH ?? '')
  .split(delimiter)
  .filter((entry) => !/node_modules|node-gyp-bin/.test(entry))
  .join(delimiter)

/** Where the machine has a program. */
export function findProgram(name: string): string {
  for (const directory of machinePath.split(delimiter)) {
    const path = join(directory, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this one.
    }
  }
  throw new Error(`${name} is not in PATH (${machinePath})`)
}

/** The environment without what npm tells the scripts that it runs, so that another npm starts afresh. */
export function freshEnvironment(changes: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|TURBO_|VITE)/i.test(name))
  const certificates = process.env.NODE_EXTRA_CA_CERTS
  return { ...Object.fromEntries(inherited), ...(certificates && { NODE_EXTRA_CA_CERTS: certificates }), ...changes }
}

/** A program on its way, with everything that it has said on both outputs. Killed if the scope ends first. */
export class Running implements Disposable {
  output = ''
  readonly exit: Promise<number | NodeJS.Signals>
  readonly child: ChildProcess

  constructor(command: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    this.child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.exit = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', (code, signal) => resolve(code ?? signal ?? 0))
    })
  }

  /** Resolves when the output contains `text`; rejects if the program ends without having said it. */
  async says(text: string): Promise<void> {
    let ended = false
    void this.exit.then(() => (ended = true))
    while (!this.output.includes(text)) {
      if (ended) throw new Error(`ended without saying “${text}”:\n${this.output}`)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  [Symbol.dispose](): void {
    if (this.child.exitCode === null) this.child.kill('SIGKILL')
  }
}

/** Starts `server-process.ts`, for the tests that kill a server. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export interface ServerProcess extends AsyncDisposable {
  readonly process: ChildProcess
  /** The port of each service that listens. */
  readonly ports: Readonly<Record<string, number>>
  /** The port of a service, 0 for one that does not listen. */
  port(service: string): number
}

const program = fileURLToPath(new URL('server-process.ts', import.meta.url))

/** A server on the data below `directory`, that listens already; it is killed when what is given is disposed of. */
export async function startProcess(directory: string, toml = ''): Promise<ServerProcess> {
  const child = spawn(process.execPath, [program, directory, toml], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const ports = JSON.parse(line) as Record<string, number>
  return {
    process: child,
    ports,
    port: (service) => ports[service] ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

import { once } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Log } from '@pennypost/model'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { type Operation, runOperation } from '../operation.ts'
import { asAdminError } from '../store-refusals.ts'
import { Caller } from './caller.ts'
import { shortestPath } from './socket-path.ts'

/**
 * The admin socket: operations on a Unix socket that only the owner of the data directory (and root) can open; the
 * file's mode is the whole of its access control. One connection is one call (`frames.ts` has its lines).
 *
 * Never broken: the socket is never open to others, not even for a moment; a caller that goes away stops its operation;
 * a failing operation ends its own answer and nothing else.
 */
export interface AdminServerOptions {
  operations: readonly Operation[]
  context: AdminContext
  /** Of the socket; at most 103 octets, as given or from the working directory. */
  path: string
  log: Log
  limits?: Partial<AdminServerLimits>
}

export interface AdminServerLimits {
  /** Operations at a time. */
  calls: number
}

const defaultAdminServerLimits: AdminServerLimits = { calls: 64 }

export interface AdminServer {
  /** Takes no more calls, lets those under way end until `signal` aborts, removes the socket. */
  close(signal: AbortSignal): Promise<void>
}

/** Opens the socket. Rejects with `exists` when a server answers there already; a stale socket is replaced. */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { log } = options
  const limits = { ...defaultAdminServerLimits, ...options.limits }
  const operations = new Map(options.operations.map((each) => [each.name, each]))
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // What goes wrong with the connection ends the call through its caller's signal.
    socket.on('error', () => {})
    const isBusy = sockets.size > limits.calls
    answer(new Caller(socket), isBusy ? undefined : operations, options.context, log).catch((error) => {
      log.error({ err: error }, 'an admin call could not be answered')
      socket.destroy()
    })
  })
  // As many again are told to come later; open files beyond that are for mail.
  server.maxConnections = 2 * limits.calls
  const path = shortestPath(options.path)
  await removeStale(path)
  await listen(server, path)
  server.on('error', ({ message: error }) => log.error({ service: 'admin', error }, 'cannot accept'))
  return {
    async close(signal) {
      const closed = once(server, 'close')
      server.close()
      const end = (): void => {
        for (const socket of sockets) socket.destroy()
      }
      if (signal.aborted) end()
      signal.addEventListener('abort', end, { once: true })
      await closed
      signal.removeEventListener('abort', end)
      await rm(path, { force: true })
    },
  }
}

async function listen(server: Server, path: string): Promise<void> {
  // The socket is bound before listen() returns, so no other file is made under this mask.
  const mask = process.umask(0o177)
  try {
    server.listen(path)
  } finally {
    process.umask(mask)
  }
  await once(server, 'listening')
  await chmod(path, 0o600)
}

async function removeStale(path: string): Promise<void> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return
    if (code === 'ECONNREFUSED' && (await lstat(path)).isSocket()) return await rm(path, { force: true })
    throw new AdminError('exists', `${path} is in the way and is no socket that was left behind.`, 'Move it away.')
  } finally {
    socket.destroy()
  }
  const advice = 'Stop it first, or give this one another data_dir.'
  throw new AdminError('exists', `A server already answers at ${path}.`, advice)
}

/** `operations` is absent when too many calls are under way. */
async function answer(
  caller: Caller,
  operations: ReadonlyMap<string, Operation> | undefined,
  context: AdminContext,
  log: Log,
): Promise<void> {
  let name = ''
  try {
    const { operation, input } = await caller.readCall()
    name = operation
    if (!operations)
      throw new AdminError('unavailable', 'The server is busy with other verbs.', 'Try again in a while.')
    const found = operations.get(name)
    if (!found) {
      const advice = 'The server and this program are of different versions: restart the server.'
      throw new AdminError('no-such-operation', `The running server does not know "${name}".`, advice)
    }
    const result = await runOperation(context, found, input, caller)
    await caller.end({ result: result ?? null })
  } catch (error) {
    const { reason, message, advice } = asAdminError(error)
    if (reason === 'failed' && !caller.signal.aborted) log.error({ operation: name, err: error }, 'an operation failed')
    await caller.end({ error: { reason, text: message, advice } })
  }
}

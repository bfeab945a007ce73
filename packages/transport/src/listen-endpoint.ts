import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { isAbandoned } from './abandoned-socket.ts'
import type { EndpointAddress } from './connection.ts'

/**
 * Opens a server on what the configuration names, and says in an operator's words why it could not.
 */

/** Where to listen: an IP address and port (0 = any free), or a Unix socket with its mode. */
export type ListenEndpoint = { address: string; port: number } | { path: string; mode?: number }

/** A listener that could not be opened; `message` says which and why, `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: string

  constructor(service: string, endpoint: ListenEndpoint, cause: NodeJS.ErrnoException) {
    super(`${service}: cannot listen on ${describe(endpoint)}: ${reasonOf(endpoint, cause)}`, { cause })
    this.code = cause.code ?? 'unknown'
  }
}

function reasonOf(endpoint: ListenEndpoint, { code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'it is in use by another program (EADDRINUSE)'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)'
    case 'EACCES':
      // Node says the same where the directory is missing.
      return 'path' in endpoint
        ? 'there is no such directory, or no permission to write to it (EACCES)'
        : 'no permission; ports below 1024 need CAP_NET_BIND_SERVICE (EACCES)'
    case 'EINVAL':
      // sockaddr_un has room for about a hundred octets.
      return 'path' in endpoint ? 'the path is too long for a Unix socket: choose a shorter one (EINVAL)' : message
    default:
      return message
  }
}

function describe(endpoint: ListenEndpoint): string {
  if ('path' in endpoint) return endpoint.path
  const { address, port } = endpoint
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/**
 * Connections that the kernel holds for us until we accept them, of which it grants `somaxconn`. When all clients come
 * back at once after a restart, one beyond it may wait for its greeting for ever.
 */
const backlog = 4096

/** Resolves with what was bound when the server accepts. A socket that a killed server left behind is replaced. */
export async function listenOn(server: Server, service: string, endpoint: ListenEndpoint): Promise<EndpointAddress> {
  try {
    try {
      await listenOnce(server, endpoint)
    } catch (error) {
      const inUse = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
      if (!inUse || !('path' in endpoint) || !(await isAbandoned(endpoint.path))) throw error
      rmSync(endpoint.path)
      await listenOnce(server, endpoint)
    }
    if ('path' in endpoint && endpoint.mode !== undefined) chmodSync(endpoint.path, endpoint.mode)
  } catch (error) {
    server.close()
    throw new ListenError(service, endpoint, error as NodeJS.ErrnoException)
  }
  const bound = server.address()
  if (bound !== null && typeof bound === 'object') return { address: bound.address, port: bound.port }
  return { address: bound ?? '', port: 0 }
}

function listenOnce(server: Server, endpoint: ListenEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    const opened = (): void => {
      server.removeListener('error', reject)
      resolve()
    }
    if ('path' in endpoint) server.listen({ path: endpoint.path, backlog }, opened)
    else server.listen({ host: endpoint.address, port: endpoint.port, backlog }, opened)
  })
}

import { once } from 'node:events'
import { chmod, lstat, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Log } from '@pennypost/model'
import { AdminError } from '../admin-error.ts'
import type { AdminContext } from '../context.ts'
import { type Call, type Operation, runOperation } from '../operation.ts'
import { asAdminError } from '../store-refusals.ts'
import { decodeLines, encodeLine, type Frame, framesOf, type Line } from './frames.ts'
import { shortestPath } from './socket-path.ts'

/**
 * The admin socket: operations over HTTP on a Unix socket that only the owner of the data directory (and root) can open;
 * the file's mode is the whole of its access control. `POST /OPERATION`: the first line of the body is `{actor, input}`,
 * frames may follow; the answer is lines too, the last one `result` or `error`.
 *
 * Never broken: the socket is never readable for others, not even for a moment; a caller that goes away stops its
 * operation; a failing operation ends its own answer and nothing else.
 */
export interface AdminServerOptions {
  operations: readonly Operation[]
  context: AdminContext
  /** Of the socket; at most 107 octets, as given or from the working directory. */
  path: string
  log: Log
  limits?: Partial<AdminServerLimits>
}

export interface AdminServerLimits {
  /** Operations at a time. */
  calls: number
}

export const defaultAdminServerLimits: AdminServerLimits = { calls: 64 }

export interface AdminServer {
  /** Takes no more calls, lets those under way end for as long as `signal` allows, removes the socket. */
  close(signal: AbortSignal): Promise<void>
}

/** Opens the socket. Rejects with `exists` when a server answers there already; a stale socket is replaced. */
export async function createAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { context, log, limits } = options
  const operations = new Map(options.operations.map((each) => [each.name, each]))
  const { calls } = { ...defaultAdminServerLimits, ...limits }
  let running = 0
  const server = createServer((request, response) => {
    if (running >= calls) {
      const refusal = new AdminError('unavailable', 'The server is busy with other verbs.', 'Try again in a while.')
      response.end(encodeLine(errorLine(refusal)))
      return
    }
    running++
    void answer(request, response, operations, context, log).finally(() => running--)
  })
  // Uploads take as long as they take: whoever may open the socket could stop the server anyway.
  server.requestTimeout = server.headersTimeout = server.timeout = 0
  const path = shortestPath(options.path)
  await removeStale(path)
  await listen(server, path)
  return {
    async close(signal) {
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      const end = (): void => server.closeAllConnections()
      if (signal.aborted) end()
      signal.addEventListener('abort', end, { once: true })
      await closed
      signal.removeEventListener('abort', end)
      await rm(path, { force: true })
    },
  }
}

async function listen(server: ReturnType<typeof createServer>, path: string): Promise<void> {
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
  throw new AdminError(
    'exists',
    `A server already answers at ${path}.`,
    'Stop it first, or give this one another data_dir.',
  )
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  operations: ReadonlyMap<string, Operation>,
  context: AdminContext,
  log: Log,
): Promise<void> {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  response.on('error', () => gone.abort())
  response.setHeader('Content-Type', 'application/x-ndjson')
  const name = decodeURIComponent(request.url ?? '').slice(1)
  try {
    const found = operations.get(name)
    if (!found || request.method !== 'POST') {
      const advice = 'The server and this program are of different versions: restart the server.'
      throw new AdminError('no-such-operation', `The running server does not know "${name}".`, advice)
    }
    const lines = decodeLines(request)
    const first = (await lines.next()).value as { actor?: unknown; input?: unknown } | undefined
    const call = callOf(response, lines, gone.signal, String(first?.actor ?? ''))
    const result = await runOperation(context, found, first?.input, call)
    response.end(encodeLine({ result: result ?? null }))
  } catch (error) {
    const refusal = asAdminError(error)
    if (refusal.reason === 'failed') log.error({ operation: name, err: error }, 'an operation failed')
    // What is left of an upload is not read; the caller sees the answer and ends.
    response.end(encodeLine(errorLine(refusal)))
  }
}

function callOf(response: ServerResponse, lines: AsyncGenerator<Line>, signal: AbortSignal, actor: string): Call {
  const write = async (line: Line): Promise<void> => {
    signal.throwIfAborted()
    if (!response.write(encodeLine(line))) await once(response, 'drain', { signal })
  }
  return {
    actor,
    signal,
    upload: framesOf(lines),
    send: (frame: Frame) => write(frame),
    progress(progress) {
      // A caller who reads slowly misses steps, not the end.
      if (!signal.aborted && !response.writableNeedDrain) response.write(encodeLine({ progress }))
    },
  }
}

function errorLine({ reason, message, advice }: AdminError): Line {
  return { error: { reason, text: message, advice } }
}

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AdminError, type AdminRefusal } from '../admin-error.ts'
import type { Progress } from '../operation.ts'
import { decodeLines, encodeLine, type Frame } from './frames.ts'
import { shortestPath } from './socket-path.ts'

/** What a caller may give and hear beside input and result. */
export interface CallOptions {
  /** Sent after the input; asked for again when nobody answered and the operation is run here. */
  upload?: () => AsyncIterable<Frame>
  onProgress?(progress: Progress): void
  /** What the operation sends before its result; the next one comes when this resolves. */
  onFrame?(frame: Frame): Promise<void> | void
  signal?: AbortSignal
}

/** Nobody answers at the socket: there is none, or the server that made it is gone. */
export class NoServer extends Error {
  override readonly name = 'NoServer'
}

/**
 * Calls an operation of the server whose admin socket this is. Rejects with `NoServer` when there is none, with
 * `AdminError`, or with the error of the upload's source.
 */
export async function callAdmin(
  path: string,
  operation: string,
  input: unknown,
  actor: string,
  options: CallOptions = {},
): Promise<unknown> {
  const { signal, upload } = options
  const outgoing = request({
    socketPath: shortestPath(path),
    method: 'POST',
    path: `/${encodeURIComponent(operation)}`,
    agent: false,
    ...(signal ? { signal } : {}),
  })
  let sourceFault: { error: unknown } | undefined
  async function* lines(): AsyncGenerator<Buffer> {
    yield encodeLine({ actor, input })
    try {
      for await (const frame of upload?.() ?? []) yield encodeLine(frame)
    } catch (error) {
      sourceFault = { error }
      throw error
    }
  }
  // A server that refuses early does not read the rest: what its answer says counts, not that sending broke off.
  const sent = pipeline(Readable.from(lines(), { objectMode: false }), outgoing).catch(() => {})
  try {
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    return await readAnswer(response, options)
  } catch (error) {
    throw sourceFault ? sourceFault.error : error instanceof AdminError ? error : connectionError(error as Error, path)
  } finally {
    outgoing.destroy()
    await sent
  }
}

function connectionError(error: NodeJS.ErrnoException, path: string): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return new NoServer(`nobody answers at ${path}`)
  if (error.code === 'EACCES') {
    const advice = 'Run this as the user who runs the server, or as root.'
    return new AdminError('not-allowed', `You may not open the admin socket ${path}.`, advice, { cause: error })
  }
  return new AdminError('unavailable', `The call of the running server failed: ${error.message}`, '', { cause: error })
}

async function readAnswer(response: IncomingMessage, { onProgress, onFrame }: CallOptions): Promise<unknown> {
  for await (const line of decodeLines(response)) {
    if ('progress' in line) onProgress?.(line.progress as Progress)
    else if ('result' in line) return line.result
    else if ('error' in line) throw errorOf(line.error)
    else await onFrame?.(line as Frame)
  }
  throw new AdminError('unavailable', 'The server ended before it gave an answer.', 'See its log, then try again.')
}

function errorOf(value: unknown): AdminError {
  const { reason, text, advice } = value as { reason: AdminRefusal; text: string; advice: string }
  return new AdminError(reason, text, advice)
}

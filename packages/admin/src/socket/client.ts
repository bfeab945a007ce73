import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { AdminError, type AdminRefusal } from '../admin-error.ts'
import type { Progress } from '../operation.ts'
import { answerLimits, decodeLines, encodeLine, type Frame, type Line } from './frames.ts'
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

/** What failed where the caller takes what comes, such as a file that cannot be written: not the connection. */
class CallerFault extends Error {}

/**
 * Calls an operation of the server whose admin socket this is. Rejects with `NoServer` when there is none, with
 * `AdminError`, or with the error of the upload's source or of `onFrame`.
 */
export async function callAdmin(
  path: string,
  operation: string,
  input: unknown,
  actor: string,
  options: CallOptions = {},
): Promise<unknown> {
  const { signal, upload } = options
  const socket = connect({ path: shortestPath(path), allowHalfOpen: true })
  const abort = (): void => void socket.destroy(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  let sourceFault: { error: unknown } | undefined
  async function* lines(): AsyncGenerator<Buffer> {
    yield encodeLine({ call: operation, actor, input })
    // What comes out of `yield` is the connection's fault, not the source's.
    let sending = false
    try {
      for await (const frame of upload?.() ?? []) {
        sending = true
        yield encodeLine(frame)
        sending = false
      }
    } catch (error) {
      if (!sending) sourceFault = { error }
      throw error
    }
    yield encodeLine({ done: true })
  }
  // A server that refuses early does not read the rest: what its answer says counts, not that sending broke off.
  const sent = pipeline(Readable.from(lines(), { objectMode: false }), socket, { end: false }).catch(() => {
    if (sourceFault) socket.destroy()
  })
  try {
    return await readAnswer(decodeLines(socket, answerLimits), options)
  } catch (error) {
    if (sourceFault) throw sourceFault.error
    if (error instanceof CallerFault) throw error.cause
    throw error instanceof AdminError ? error : connectionError(error as Error, path)
  } finally {
    signal?.removeEventListener('abort', abort)
    socket.destroy()
    await sent
  }
}

const again = 'See its log, then try again.'

function connectionError(error: NodeJS.ErrnoException, path: string): Error {
  if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') return new NoServer(`nobody answers at ${path}`)
  if (error.code === 'EACCES') {
    const advice = 'Run this as the user who runs the server, or as root.'
    return new AdminError('not-allowed', `You may not open the admin socket ${path}.`, advice, { cause: error })
  }
  if (error.name === 'TimeoutError') {
    const advice = 'See its log. One that hangs can be killed and started again: nothing acknowledged is lost.'
    return new AdminError('unavailable', 'The running server does not answer.', advice, { cause: error })
  }
  const text = `The call of the running server failed: ${error.message}`
  return new AdminError('unavailable', text, again, { cause: error })
}

async function readAnswer(lines: AsyncIterable<Line>, { onProgress, onFrame }: CallOptions): Promise<unknown> {
  for await (const line of lines) {
    if ('progress' in line) onProgress?.(line.progress as Progress)
    else if ('result' in line) return line.result
    else if ('error' in line) throw errorOf(line.error)
    else await give(line as Frame, onFrame)
  }
  throw new AdminError('unavailable', 'The server ended before it gave an answer.', again)
}

async function give(frame: Frame, onFrame: CallOptions['onFrame']): Promise<void> {
  try {
    await onFrame?.(frame)
  } catch (error) {
    throw new CallerFault('', { cause: error })
  }
}

function errorOf(value: unknown): AdminError {
  const { reason, text, advice } = value as { reason: AdminRefusal; text: string; advice: string }
  return new AdminError(reason, text, advice)
}

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { AdminError } from '../admin-error.ts'
import type { Call, Progress } from '../operation.ts'
import { unhurried } from '../unhurried.ts'
import { callLimits, decodeLines, encodeLine, encodePieces, type Frame, type Line } from './frames.ts'

/**
 * The caller at the other end of one connection, as an operation sees it.
 *
 * One line is always being read ahead, so that the end of the stream, which means that the caller has gone, is noticed
 * whether or not the operation wants the upload; more than that one line is not taken before it is wanted.
 */
export class Caller implements Call {
  actor = ''
  readonly signal: AbortSignal
  readonly #socket: Socket
  readonly #lines: AsyncGenerator<Line>
  readonly #gone = new AbortController()
  #next: Promise<IteratorResult<Line>> | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    // A line that is none ends the reading, not the connection: it gets its answer.
    this.#lines = decodeLines(socket.iterator({ destroyOnReturn: false }), callLimits)
    this.signal = this.#gone.signal
    socket.on('close', () => this.#gone.abort())
  }

  /** The first line. Rejects with `AdminError` when it is no call. */
  async readCall(): Promise<{ operation: string; input: unknown }> {
    let line: Line | undefined
    try {
      line = (await this.#lines.next()).value
    } catch (error) {
      throw new AdminError('bad-input', `That is no call: ${(error as Error).message}`)
    }
    const { call, actor, input } = (line ?? {}) as { call?: unknown; actor?: unknown; input?: unknown }
    if (typeof call !== 'string') throw new AdminError('bad-input', 'That is no call.')
    if (typeof actor === 'string') this.actor = actor
    this.#readAhead()
    return { operation: call, input }
  }

  #readAhead(): void {
    const next = this.#lines.next()
    this.#next = next
    const leave = (): void => this.#gone.abort()
    next.then(({ done, value }) => {
      if (done) leave()
      // Behind it comes nothing but the end.
      else if ('done' in value) this.#lines.next().then(leave, leave)
    }, leave)
  }

  get upload(): AsyncIterable<Frame> {
    return this.#readUpload()
  }

  async *#readUpload(): AsyncGenerator<Frame> {
    for (;;) {
      const { done, value } = (await this.#next) ?? { done: true }
      if (done) throw new AdminError('bad-input', 'The upload broke off.')
      if ('done' in value) return
      if (!('head' in value || 'octets' in value || 'end' in value)) {
        throw new AdminError('bad-input', 'The upload holds a line that is no frame.')
      }
      this.#readAhead()
      yield value as Frame
    }
  }

  // Operations take these two apart from their caller, hence no methods.
  readonly send = async (frame: Frame): Promise<void> => {
    this.signal.throwIfAborted()
    if (!this.#socket.write(encodeLine(frame))) await once(this.#socket, 'drain', { signal: this.signal })
  }

  readonly progress = (progress: Progress): void => {
    // A caller who reads slowly misses steps, not the end.
    if (!this.signal.aborted && !this.#socket.writableNeedDrain) this.#socket.write(encodeLine({ progress }))
  }

  /** The last line. What is left of an upload is read and dropped: closing now could cost the caller the answer. */
  async end(line: Line): Promise<void> {
    if (this.#socket.destroyed) return
    for await (const piece of unhurried(encodePieces(line), 1)) {
      if (this.#socket.destroyed) return
      if (this.#socket.write(piece)) continue
      await once(this.#socket, 'drain', { signal: this.signal }).catch(() => {})
    }
    this.#socket.end()
    // As octets: nobody wants the lines any more. The line being read ahead ends first, which may be no line.
    await this.#lines.return(undefined).catch(() => {})
    this.#socket.resume()
  }
}

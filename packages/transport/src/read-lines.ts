import type { Duplex } from 'node:stream'
import { type LineReader, overlong } from './line-reader.ts'

/**
 * Drives a session by the lines of a stream, one at a time and in order, for pipelining clients too.
 *
 * Never broken: the next line is given only when the work for the last is done; while it runs, the stream is paused,
 * so a client that does not wait fills its own send buffer and not our memory; after `stop`, nothing is called.
 * Who calls it: sessions whose commands are lines.
 */

export interface LineHandlers {
  /** A promise holds back further lines until it settles. It must not reject: faults are the session's to answer. */
  onLine(line: Buffer): void | Promise<void>
  /** In the place of a line beyond the reader's limit. */
  onOverlong(): void | Promise<void>
  /** The client has closed its sending side, or the connection is gone; all lines before have been worked. */
  onEnd(): void
}

export interface LineReading {
  /**
   * Takes all listeners off the stream and pauses it. What the reader still holds stays in it: `reader.clear()` before
   * STARTTLS.
   */
  stop(): void
}

/** Begins to read. `reader` may hold octets already. */
export function readLines(stream: Duplex, reader: LineReader, handlers: LineHandlers): LineReading {
  let working = false
  let stopped = false
  let ended = false

  const onData = (chunk: Buffer): void => {
    reader.push(chunk)
    if (!working) work()
  }
  const onEnd = (): void => {
    if (ended) return
    ended = true
    if (!working) work()
  }

  function stop(): void {
    if (stopped) return
    stopped = true
    stream.removeListener('data', onData)
    stream.removeListener('end', onEnd)
    stream.removeListener('close', onEnd)
    stream.pause()
  }

  function work(): void {
    working = true
    while (!stopped) {
      const line = reader.next()
      if (line === undefined) break
      const pending = line === overlong ? handlers.onOverlong() : handlers.onLine(line)
      if (pending) {
        // A handler that stopped us (STARTTLS) has given the stream to somebody else, who must find it flowing.
        if (!stopped) stream.pause()
        void pending.then(resume)
        return
      }
    }
    working = false
    if (!stopped && ended) {
      stop()
      handlers.onEnd()
    }
  }

  function resume(): void {
    if (stopped) return
    work()
    if (!working && !stopped) stream.resume()
  }

  stream.on('data', onData)
  stream.on('end', onEnd)
  stream.on('close', onEnd)
  // The reader may hold lines, for instance what came before a handler was attached.
  queueMicrotask(() => {
    if (!working) work()
  })
  return { stop }
}

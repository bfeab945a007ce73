/** Back-pressure: what a protocol waits for before it says more. Called by sessions that write to their stream themselves. */
import type { Duplex } from 'node:stream'
import type { Deadline } from '@pennypost/model'

/**
 * Undefined while the peer keeps up, else resolves when it has taken what was written, or is gone. One that takes nothing
 * for `stallMs` is dropped, so that what waits for it holds no memory for ever.
 */
export function drained(stream: Duplex, deadline: Deadline, stallMs: number): Promise<void> | undefined {
  if (!stream.writableNeedDrain || stream.destroyed) return undefined
  return new Promise((resolve) => {
    const stall = deadline.after(stallMs, () => stream.destroy())
    const done = (): void => {
      stall[Symbol.dispose]()
      stream.removeListener('drain', done)
      stream.removeListener('close', done)
      resolve()
    }
    stream.once('drain', done)
    stream.once('close', done)
  })
}

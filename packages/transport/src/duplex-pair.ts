import { Duplex } from 'node:stream'

/**
 * Two ends of a connection without a network, for tests, behaving as two TCP sockets do: back-pressure,
 * half-close, a peer that vanished, a reset.
 *
 * Never broken: octets arrive in a later tick than that in which they were written. (Node's own `duplexPair` delivers
 * within the call, and then a TLS client can miss the end of its handshake.)
 */

type Done = (error?: Error | null) => void

export class DuplexEnd extends Duplex {
  #peer: DuplexEnd | undefined
  /** The peer's write that waits until we have room. */
  #peerWaits: Done | undefined

  constructor() {
    super({ allowHalfOpen: true })
  }

  /** @internal */
  static join(one: DuplexEnd, other: DuplexEnd): void {
    one.#peer = other
    other.#peer = one
  }

  /** Ends both at once; the peer sees ECONNRESET, as of a `net.Socket`'s method of this name. */
  resetAndDestroy(): this {
    const peer = this.#peer
    process.nextTick(() => peer?.destroy(withCode('ECONNRESET', 'read ECONNRESET')))
    return this.destroy()
  }

  override _read(): void {
    const go = this.#peerWaits
    this.#peerWaits = undefined
    go?.()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    process.nextTick(() => {
      const peer = this.#peer
      if (!peer || peer.destroyed) done(withCode('EPIPE', 'write EPIPE'))
      // A copy, as TCP makes one: when the write is done, the octets are the writer's again.
      else if (peer.push(Buffer.from(chunk))) done()
      else peer.#peerWaits = done
    })
  }

  override _final(done: Done): void {
    process.nextTick(() => {
      this.#peer?.push(null)
      done()
    })
  }

  override _destroy(error: Error | null, done: Done): void {
    const peer = this.#peer
    const waiting = this.#peerWaits
    this.#peerWaits = undefined
    process.nextTick(() => {
      waiting?.(withCode('EPIPE', 'write EPIPE'))
      // As TCP: closing one end looks to the other like the end of the stream.
      if (peer && !peer.destroyed && !this.writableFinished) peer.push(null)
    })
    done(error)
  }
}

/** @returns client and server end; neither has a listener for errors yet. */
export function createDuplexPair(): { client: DuplexEnd; server: DuplexEnd } {
  const client = new DuplexEnd()
  const server = new DuplexEnd()
  DuplexEnd.join(client, server)
  return { client, server }
}

function withCode(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code })
}

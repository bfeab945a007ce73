import { createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Deadline, type Log, plainAddress } from '@pennypost/model'
import { Connection, type ConnectionHost, type EndpointAddress } from './connection.ts'
import type { ConnectionLimiter, Refusal, Slot } from './connection-limiter.ts'
import { type ListenEndpoint, listenOn } from './listen-endpoint.ts'
import { networkOf } from './network-of.ts'
import { readProxiedClient } from './proxied-client.ts'
import type { ServerContexts } from './server-handshake.ts'

/**
 * Accepts connections for one service and hands each to the protocol when it may speak: at once, or after the
 * handshake with implicit TLS.
 *
 * Never broken: no connection reaches the protocol beyond the limits; none is left behind when `close` resolves; a
 * fault in a protocol's `onConnection` costs that connection only; errors of accept (too many files) are logged and
 * outlived.
 * Who calls it: whoever opens a service.
 */

/** TCP keepalive begins after so much silence, to find peers that vanished. */
const keepAliveMs = 120_000

export interface ListenerOptions {
  /** The service's name as in the configuration (`imaps`): for the log and for errors. */
  service: string
  endpoint: ListenEndpoint
  /** `starttls` = begins in clear and has material for `Connection.startTls`. */
  tls: 'none' | 'starttls' | 'implicit'
  /** Needed unless `tls` is `none`: a `TlsMaterial`. */
  contexts?: ServerContexts
  limiter: ConnectionLimiter
  /**
   * Who is a proxy, which says before anything else for whom it speaks (PROXY protocol): that client is the `remote` of the
   * connection and counts in the limits. Who comes from there and does not say so is dropped.
   */
  isProxy?(address: string): boolean
  deadline: Deadline
  log: Log
  /**
   * true (the default): a client that closed its sending side still gets its replies, and the session must `end()`
   * when its stream ends. false: Node then ends our side by itself, for sessions that do not look for it.
   */
  allowHalfOpen?: boolean
  /** Begins the protocol's session. What it throws is logged and costs this connection. */
  onConnection(connection: Connection): void
  /**
   * What to say, with its CRLF, to a client beyond the limits (`* BYE …`); it is dropped without a word when absent,
   * and on implicit TLS, since no handshake is spent on it.
   */
  refusal?(reason: Refusal): string
}

export interface Listener {
  readonly service: string
  /** The bound address and port; for a Unix socket its path and 0. */
  readonly bound: EndpointAddress
  /** Connections accepted and not yet closed, handshakes included. */
  readonly open: number
  /** Takes in a stream that is open already (in tests, one in memory) as if it had been accepted. */
  admit(stream: Duplex, remote: EndpointAddress, local: EndpointAddress): void
  /**
   * Stops accepting, tells every session (`Connection.onDrain`), waits for them, and after `drainMs` destroys the
   * rest, or gives them a second for their last words (`Connection.onCutOff`). Resolves with how many these were. Calling
   * again gives the same promise.
   */
  close(options: { drainMs: number }): Promise<number>
}

/** Opens the listener. Resolves when it accepts, with the port that was bound; rejects with `ListenError`. */
export async function createListener(options: ListenerOptions): Promise<Listener> {
  if (options.tls !== 'none' && !options.contexts) throw new Error(`${options.service}: TLS without TLS material`)
  const server = createServer({
    allowHalfOpen: options.allowHalfOpen ?? true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  })
  const listener = new SocketListener(server, options)
  server.on('connection', (socket) => {
    // Who has reset the connection by now has no address any more, and would pass for who comes by a Unix socket.
    if (socket.remoteAddress === undefined && !('path' in options.endpoint)) socket.destroy()
    else listener.admit(socket, remoteOf(socket), localOf(socket))
  })
  listener.bound = await listenOn(server, options.service, options.endpoint)
  return listener
}

// Refused clients whose last words are on their way; beyond that many, further ones are dropped without a word.
const mostFarewells = 100
const farewellMs = 1_000

class SocketListener implements Listener, ConnectionHost {
  bound: EndpointAddress = { address: '', port: 0 }
  readonly #server: Server
  readonly #options: ListenerOptions
  readonly #connections = new Set<Connection>()
  /** Of proxies that have not said yet for whom they speak. */
  readonly #entering = new Set<Duplex>()
  #farewells = 0
  #closing: Promise<number> | undefined
  #allGone: (() => void) | undefined

  constructor(server: Server, options: ListenerOptions) {
    this.#server = server
    this.#options = options
    server.on('error', (error) => {
      if (server.listening) this.log.error({ service: this.service, error: error.message }, 'cannot accept')
    })
  }

  get service(): string {
    return this.#options.service
  }

  get open(): number {
    return this.#connections.size + this.#entering.size
  }

  get deadline(): Deadline {
    return this.#options.deadline
  }

  get log(): Log {
    return this.#options.log
  }

  get contexts(): ServerContexts | undefined {
    return this.#options.contexts
  }

  admit(stream: Duplex, remote: EndpointAddress, local: EndpointAddress): void {
    if (this.#options.isProxy?.(remote.address)) this.#admitProxy(stream, remote, local)
    else this.#admitClient(stream, remote, local)
  }

  /** A proxy counts in all alone, until the client counts that it names. */
  #admitProxy(stream: Duplex, proxy: EndpointAddress, local: EndpointAddress): void {
    const slot = this.#place(stream, proxy, '')
    if (!slot) return
    this.#entering.add(stream)
    stream.on('error', (error) => this.log.debug({ remote: proxy.address, error: error.message }, 'socket error'))
    readProxiedClient(stream, proxy, this.deadline, (client) => {
      this.#entering.delete(stream)
      slot[Symbol.dispose]()
      if (client) this.#admitClient(stream, client, local)
      else if (!this.#closing) {
        this.log.warn({ service: this.service, proxy: proxy.address }, 'no PROXY header from a proxy')
      }
    })
  }

  #admitClient(stream: Duplex, remote: EndpointAddress, local: EndpointAddress): void {
    const slot = this.#place(stream, remote, networkOf(remote.address))
    if (!slot) return
    const connection = new Connection(stream, remote, local, this, slot)
    this.#connections.add(connection)
    if (this.#options.tls === 'implicit') void this.#beginSecured(connection)
    else this.#begin(connection)
  }

  /** Its place in the limits; undefined when there is none, and it has been told so. */
  #place(stream: Duplex, remote: EndpointAddress, network: string): Slot | undefined {
    const slot = this.#closing ? 'draining' : this.#options.limiter.admit(remote.address, network)
    if (typeof slot !== 'string') return slot
    this.#refuse(stream, remote, slot)
    return undefined
  }

  gone(connection: Connection): void {
    this.#connections.delete(connection)
    if (this.#connections.size === 0) this.#allGone?.()
  }

  close({ drainMs }: { drainMs: number }): Promise<number> {
    this.#closing ??= this.#drain(drainMs)
    return this.#closing
  }

  async #beginSecured(connection: Connection): Promise<void> {
    // Nothing is lost with a connection whose session has not begun.
    connection.onDrain(() => connection.destroy())
    try {
      await connection.handshake()
    } catch {
      return
    }
    connection.onDrain(() => {})
    this.#begin(connection)
  }

  #begin(connection: Connection): void {
    try {
      this.#options.onConnection(connection)
    } catch (error) {
      this.log.error({ service: this.service, error: String(error) }, 'session could not begin')
      connection.destroy()
    }
  }

  #refuse(stream: Duplex, remote: EndpointAddress, reason: Refusal): void {
    this.log.info({ service: this.service, remote: remote.address, reason }, 'connection refused')
    stream.on('error', () => {})
    const words = this.#options.tls === 'implicit' ? undefined : this.#options.refusal?.(reason)
    if (words === undefined || this.#farewells >= mostFarewells) {
      stream.destroy()
      return
    }
    this.#farewells++
    const timer = this.deadline.after(farewellMs, () => stream.destroy())
    stream.once('close', () => {
      this.#farewells--
      timer[Symbol.dispose]()
    })
    // Reading lets us see the client go; closing with unread octets would reset, and the words might be lost.
    stream.resume()
    stream.end(words)
  }

  async #drain(drainMs: number): Promise<number> {
    this.#server.close()
    // After this tick, so that `#closing` is set when sessions end and clients come.
    await undefined
    for (const stream of this.#entering) stream.destroy()
    // A session may end another's connection while it is told: the set is walked as it stands now.
    for (const connection of [...this.#connections]) connection.drain()
    if (drainMs > 0 && this.#connections.size > 0) await this.#untilAllGone(drainMs)
    const rest = [...this.#connections]
    if (drainMs > 0 && rest.length > 0) {
      for (const connection of rest) connection.cutOff()
      await this.#untilAllGone(farewellMs)
    }
    for (const connection of rest) connection.destroy()
    return rest.length
  }

  #untilAllGone(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.deadline.after(withinMs, resolve)
      this.#allGone = () => {
        timer[Symbol.dispose]()
        resolve()
      }
    })
  }
}

function remoteOf(socket: Socket): EndpointAddress {
  return { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 }
}

function localOf(socket: Socket): EndpointAddress {
  return { address: plainAddress(socket.localAddress ?? ''), port: socket.localPort ?? 0 }
}

import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Deadline, Log, Timer, TlsFacts } from '@pennypost/model'
import { certifiedAddressesOf, channelBindingOf } from './channel-binding.ts'
import type { Slot } from './connection-limiter.ts'
import { networkOf } from './network-of.ts'
import { acceptTls, HandshakeError, type ServerContexts } from './server-handshake.ts'
import { tlsFactsOf } from './tls-facts.ts'

/**
 * One accepted connection, from accept to the end of its socket. The protocol session owns its `stream`; the listener
 * owns its place in the limits and its end when the server drains. TCP, Unix sockets and in-memory duplexes are alike.
 *
 * Never broken: octets that the client sent in clear before a TLS handshake are never read after it (RFC 3207 §4.2,
 * RFC 2595 §2); one idle timer; an error on the socket never reaches the process.
 * Light on purpose: a server holds ten thousand of these while their owners sleep.
 */

export interface EndpointAddress {
  /** IP address without zone, IPv4-mapped ones as IPv4; '' for Unix sockets. */
  readonly address: string
  readonly port: number
}

/** From accept (implicit TLS) or the go-ahead (STARTTLS) to the end of the handshake. */
const handshakeTimeoutMs = 30_000
/** How long a client may take to read what is left to say to it, once we end. */
const flushTimeoutMs = 60_000
/** How long it may then take to close its side. */
const lingerMs = 5_000

/** What a connection needs of its listener. */
export interface ConnectionHost {
  readonly service: string
  readonly deadline: Deadline
  readonly log: Log
  readonly contexts: ServerContexts | undefined
  /** Called once, when the socket has closed. */
  gone(connection: Connection): void
}

export class Connection {
  readonly remote: EndpointAddress
  readonly local: EndpointAddress
  /** The client's network, by which limits count: `networkOf(remote.address)`. */
  readonly network: string
  /** Its place in the limits, free again when the socket has closed. */
  readonly slot: Slot
  #stream: Duplex
  #tls: TlsFacts | undefined
  #certifiedAddresses: readonly string[] | undefined
  #idle: Timer | undefined
  #linger: Timer | undefined
  #drain: (() => void) | undefined
  #cutOff: (() => void) | undefined
  #draining = false
  #closed = false
  readonly #host: ConnectionHost

  constructor(socket: Duplex, remote: EndpointAddress, local: EndpointAddress, host: ConnectionHost, slot: Slot) {
    this.remote = remote
    this.local = local
    this.network = networkOf(remote.address)
    this.#stream = socket
    this.#host = host
    this.slot = slot
    socket.on('close', () => this.#gone())
    socket.on('error', (error) => host.log.debug({ remote: remote.address, error: error.message }, 'socket error'))
  }

  /** What the session reads and writes: the socket, or the TLS socket once a handshake is done. */
  get stream(): Duplex {
    return this.#stream
  }

  /** Present once TLS is up. */
  get tls(): TlsFacts | undefined {
    return this.#tls
  }

  /** Octets that tie a SASL exchange to this TLS session; undefined without TLS, or where it has none of that type. */
  channelBinding(type: 'tls-exporter' | 'tls-server-end-point'): Buffer | undefined {
    return this.#tls && channelBindingOf(this.#stream as TLSSocket, type)
  }

  /** The mail addresses of the client's certificate, if it showed one that our authority (`clientCa`) has issued. */
  get certifiedAddresses(): readonly string[] | undefined {
    return this.#certifiedAddresses
  }

  /** The server is about to end: finish what is running, begin nothing. */
  get draining(): boolean {
    return this.#draining
  }

  get closed(): boolean {
    return this.#closed
  }

  /** The client says nothing more: whoever goes in good order is not told from who reads on until it is written to. */
  get hasLeft(): boolean {
    return this.#closed || this.#stream.readableEnded
  }

  /**
   * Answers STARTTLS or STLS with `goAhead` and makes the handshake. Call it in the same tick in which the command was
   * parsed, with your own buffered octets dropped and no listener of yours left on `stream`: whatever the client sent
   * in clear behind the command is thrown away here.
   *
   * Resolves when `stream` and `tls` are new; rejects with `HandshakeError`, and then the connection is gone and the log
   * says why.
   */
  startTls(goAhead: string): Promise<void> {
    if (this.#tls) throw new Error('TLS is already in use on this connection')
    const clear = this.#stream
    clear.pause()
    clear.write(goAhead)
    while (clear.read() !== null);
    return this.handshake()
  }

  /** The handshake alone: how the listener begins with implicit TLS. Not for sessions. */
  handshake(): Promise<void> {
    const { contexts, deadline } = this.#host
    if (!contexts) throw new Error('this listener has no TLS material')
    // Node never tells of the end of a stream that has ended already: it would be waited for until the deadline.
    if (this.#stream.destroyed || this.#stream.readableEnded) {
      this.destroy()
      return Promise.reject(this.#noTls(new HandshakeError('the client left before the handshake')))
    }
    return new Promise((resolve, reject) => {
      const secured = acceptTls(this.#stream, contexts, { deadline, timeoutMs: handshakeTimeoutMs }, (error) => {
        if (error) return reject(this.#noTls(error))
        this.#tls = tlsFactsOf(secured)
        if (contexts.asksForCertificate) this.#certifiedAddresses = certifiedAddressesOf(secured)
        resolve()
      })
      this.#stream = secured
    })
  }

  /** Said here for implicit TLS and STARTTLS alike: it is known here who it was. */
  #noTls(error: HandshakeError): HandshakeError {
    const { log, service } = this.#host
    log.info({ service, remote: this.remote.address, error: error.message }, 'no TLS session')
    return error
  }

  /** Arms the one idle timer; calling again replaces it (login gives a longer one), 0 disarms it. */
  idleAfter(timeoutMs: number, onIdle: () => void): void {
    this.#idle?.[Symbol.dispose]()
    this.#idle = timeoutMs > 0 ? this.#host.deadline.after(timeoutMs, onIdle) : undefined
  }

  /** Starts the idle interval anew; called when a complete command has come, not for every octet. */
  active(): void {
    this.#idle?.refresh()
  }

  /** The client has logged in, or is trusted: from now on it does not count against its address. */
  leaveAddressLimit(): void {
    this.slot.leaveAddress()
  }

  /** The client has logged out, and may log in again. */
  returnToAddressLimit(): void {
    this.slot.returnToAddress()
  }

  /** `tell` runs once when the server begins to drain; at once if it has begun. A second call replaces the first. */
  onDrain(tell: () => void): void {
    if (this.#draining) tell()
    else this.#drain = tell
  }

  /** `end` runs when the drain's time is over and the session is not; a second later the connection is dropped. */
  onCutOff(end: () => void): void {
    this.#cutOff = end
  }

  /** Called by the listener. */
  cutOff(): void {
    if (this.#cutOff) this.#cutOff()
    else this.destroy()
  }

  /** Called by the listener. */
  drain(): void {
    this.#draining = true
    const tell = this.#drain
    this.#drain = undefined
    tell?.()
  }

  /**
   * Ends in good order: flushes what is written and `lastWords`, tells the peer, ignores what still comes. The socket is
   * destroyed when a slow reader has not taken it all within `flushTimeoutMs`, or has not closed its own side within
   * `lingerMs` of that.
   */
  end(lastWords?: string): void {
    const stream = this.#stream
    if (this.#closed || this.#linger) return
    this.idleAfter(0, () => {})
    const { deadline } = this.#host
    this.#linger = deadline.after(flushTimeoutMs, () => this.destroy())
    stream.once('finish', () => {
      this.#linger?.[Symbol.dispose]()
      if (!this.#closed) this.#linger = deadline.after(lingerMs, () => this.destroy())
    })
    stream.removeAllListeners('data')
    stream.removeAllListeners('readable')
    stream.resume()
    stream.once('end', () => stream.writableFinished && this.destroy())
    if (lastWords === undefined) stream.end()
    else stream.end(lastWords)
  }

  /** Drops the connection at once. */
  destroy(): void {
    this.#stream.destroy()
  }

  #gone(): void {
    if (this.#closed) return
    this.#closed = true
    this.idleAfter(0, () => {})
    this.#linger?.[Symbol.dispose]()
    this.#drain = this.#cutOff = undefined
    this.slot[Symbol.dispose]()
    this.#host.gone(this)
  }
}

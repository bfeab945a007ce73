import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Connection } from '@pennypost/transport'
import type { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { type OctetReader, WireStream } from './stream.ts'

/**
 * The one place where we stand on smtp-server: its connection carries the octets (socket events, half-close, pipes into
 * the parser), ours says what they mean. What is overridden here, and why, is listed in the README; each override has a
 * test, since underscore methods may change with any release of the library.
 *
 * What must never break: octets sent in clear before a TLS handshake are never run after it (RFC 3207 §4.2); one command
 * at a time; replies leave in the order of the commands, those of one turn in one write.
 */

/** What the wire asks of a session. Every handler calls `next` exactly once, when the parser may go on. */
export interface WireHandler {
  /** The connection stands (with implicit TLS: the handshake is done). The session greets. */
  begin(): void
  line(line: Buffer, next: () => void): void
  lineTooLong(next: () => void): void
  /** No octet came for the idle time. */
  idle(): void
  /** The socket is gone, whoever ended it; `orderly` is false after a reset or an error. Called once. */
  closed(orderly: boolean): void
}

export interface WireLimits {
  /** Octets of a command line, without CRLF. */
  lineLength: number
  idleTimeoutMs: number
}

export class WireConnection extends SMTPConnection {
  readonly #connection: Connection
  readonly #handler: WireHandler
  readonly #limits: WireLimits
  #corked = false
  #gone = false
  #broken = false

  constructor(server: SMTPServer, connection: Connection, handler: WireHandler, limits: WireLimits) {
    // The library types the stream as a socket; it uses only what every Duplex has, addresses apart.
    super(server, connection.stream as TLSSocket, {
      remoteAddress: connection.remote.address,
      remotePort: connection.remote.port,
      localAddress: connection.local.address,
      localPort: connection.local.port,
    })
    this.#connection = connection
    this.#handler = handler
    this.#limits = limits
    // The library's constructor made a parser before our fields stood.
    this._parser = this.#parser()
  }

  /** No delay before the banner, no reverse lookup: both are policy, and policy is the session's. */
  override init(): void {
    this.#listen()
    this._ready = true
    this.#handler.begin()
  }

  /** Writes replies. Everything said in one turn of the event loop leaves in one write. */
  say(text: string): void {
    const stream = this.#stream
    if (this._upgrading || stream.destroyed || stream.writableEnded) return
    if (!this.#corked) {
      this.#corked = true
      stream.cork()
      setImmediate(() => {
        this.#corked = false
        stream.uncork()
      })
    }
    stream.write(text, 'latin1')
  }

  /** What follows the current command goes to `reader`. */
  receive(reader: OctetReader): void {
    if (this._parser) (this._parser as WireStream).receive(reader)
  }

  /** Says `goAhead` and makes the handshake; rejects when there is none, and then the connection is gone. */
  async startTls(goAhead: string): Promise<void> {
    const clear = this.#stream
    const parser = this._parser as WireStream
    // Whatever the old parser holds came in clear behind STARTTLS: it is closed, and a new one reads the TLS stream.
    clear.unpipe(parser)
    clear.removeAllListeners('data')
    parser.isClosed = true
    this._upgrading = true
    while (clear.writableCorked > 0) clear.uncork()
    this.#corked = false
    try {
      await this.#connection.startTls(goAhead)
    } finally {
      this._upgrading = false
    }
    this._socket = this.#connection.stream as TLSSocket
    this.secure = true
    this._parser = this.#parser()
    this.#listen()
  }

  /** Ends in good order: what was said is flushed, what still comes is ignored. */
  override close(): void {
    if (this._parser) {
      this.#stream.unpipe(this._parser)
      this._parser.isClosed = true
    }
    while (this.#stream.writableCorked > 0) this.#stream.uncork()
    this._server.connections.delete(this)
    this.#connection.end()
  }

  get #stream(): Duplex {
    return this._socket
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('close', () => this.#closed())
    stream.on('error', () => {
      this.#broken = true
    })
    this.#connection.idleAfter(this.#limits.idleTimeoutMs, () => this.#handler.idle())
    stream.on('data', () => this.#connection.active())
    if (this._parser) stream.pipe(this._parser)
  }

  #closed(): void {
    if (this.#gone) return
    this.#gone = true
    if (this._parser) this._parser.isClosed = true
    this._server.connections.delete(this)
    this.#handler.closed(!this.#broken)
  }

  #parser(): WireStream {
    const parser = new WireStream(this.#limits.lineLength)
    const resume = (next: () => void) => () => this._whenWritable(next)
    parser.oncommand = (line, callback) => this.#handler.line(line, resume(callback ?? (() => {})))
    parser.ontoolong = (next) => this.#handler.lineTooLong(resume(next))
    parser.on('error', () => this.close())
    return parser
  }

  /** The library calls it from its constructor, too early for our fields; the real one is made afterwards. */
  override _createParser(): WireStream {
    return new WireStream(0)
  }
}

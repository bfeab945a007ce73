import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { type Connection, Turns } from '@pennypost/transport'
import type { SMTPServer } from 'smtp-server'
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { type OctetReader, WireStream } from './stream.ts'

/**
 * The one place where we stand on smtp-server: its connection carries the octets (socket events, half-close, pipes into
 * the parser), ours says what they mean. What is overridden here, and why, is listed in the README; each override has a
 * test, since underscore methods may change with any release of the library.
 *
 * What must never break: octets sent in clear before a TLS handshake are never run after it (RFC 3207 §4.2); one command
 * at a time; replies leave in the order of the commands, those of one turn in one write; a client that reads no replies
 * is read no further.
 */

/** What the wire asks of a session. Who gets `next` calls it exactly once, when the parser may go on. */
export interface WireHandler {
  /** The connection stands (with implicit TLS: the handshake is done). The session greets. */
  begin(): void
  line(line: Buffer, next: () => void): void
  lineTooLong(next: () => void): void
  /** A line ended with a bare LF where a command needs CRLF; nothing is read behind it. */
  lineWithoutCr(): void
  /** No complete command came for `tickMs`, of `WireLimits`. */
  tick(tickMs: number): void
  /** The client has ended its side, and all that it had sent is worked off. */
  inputEnded(): void
  /** The socket is gone, whoever ended it; `orderly` when the client ended its side, without an error. Called once. */
  closed(orderly: boolean): void
}

export interface WireLimits {
  /** Octets of a line, without CRLF, that is kept at all. */
  lineLength: number
  /** How often a silent session is looked at. */
  tickMs: number
  /** A bare LF ends no command. */
  needsCr: boolean
  /** Of all sessions of the listener. */
  turns: Turns
}

/** Replies are held until a turn is over, unless there are more characters of them. */
const mostHeld = 16_384

export class WireConnection extends SMTPConnection {
  declare _parser: WireStream | false
  readonly #connection: Connection
  readonly #handler: WireHandler
  readonly #limits: WireLimits
  #said = ''
  #sending = false
  #inputEnded = false
  #gone = false
  #broken = false

  constructor(server: SMTPServer, connection: Connection, handler: WireHandler, limits: WireLimits, id: string) {
    // The library types the stream as a socket; it uses only what every Duplex has, addresses apart.
    super(server, connection.stream as TLSSocket, {
      id,
      remoteAddress: connection.remote.address,
      remotePort: connection.remote.port,
      localAddress: connection.local.address,
      localPort: connection.local.port,
    })
    this.#connection = connection
    this.#handler = handler
    this.#limits = limits
    // The library's constructor asked for a parser before our fields stood.
    this._parser = this.#parser()
  }

  /** No delay before the banner, no reverse lookup: both are policy, and policy is the session's. */
  override init(): void {
    this.#listen()
    this._ready = true
    this.#handler.begin()
  }

  /** Says something; all of one turn leaves in one write, when what came is worked off or the turn is over. */
  say(text: string): void {
    this.#said += text
    if (this.#sending) return
    this.#sending = true
    setImmediate(() => {
      this.#sending = false
      this.#send()
    })
  }

  /** What follows the current command goes to `reader`. */
  receive(reader: OctetReader): void {
    if (this._parser) this._parser.receive(reader)
  }

  /** Octets that the client has sent so far, Infinity once it has ended its side. */
  arrived(): number {
    return this.#inputEnded || !this._parser ? Number.POSITIVE_INFINITY : this._parser.arrived
  }

  /** Octets of them that have been worked. */
  taken(): number {
    return this._parser ? this._parser.taken : 0
  }

  /** Says `goAhead` and makes the handshake; rejects when there is none, and then the connection is gone. */
  async startTls(goAhead: string): Promise<void> {
    // Whatever the old parser holds came in clear behind STARTTLS: it is closed, and a new one reads the TLS stream.
    this.#stopReading()
    this.#stream.removeAllListeners('data')
    this.#send()
    this._upgrading = true
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

  /** The stream, for whoever goes on with it: nothing that comes is read here any more. */
  handOver(): Duplex {
    const stream = this.#stream
    this.#stopReading()
    stream.removeAllListeners('data')
    this.#send()
    this.#connection.idleAfter(0, () => {})
    return stream
  }

  /** Ends in good order: what was said is flushed, what still comes is ignored. */
  override close(): void {
    this._server.connections.delete(this)
    if (this._upgrading) {
      // In the middle of a handshake there is nothing to say, and nobody to say it to.
      this.#connection.destroy()
      return
    }
    this.#stopReading()
    this.#send()
    this.#connection.end()
  }

  get #stream(): Duplex {
    return this._socket
  }

  /** What the parser holds or is still given is ignored. */
  #stopReading(): void {
    if (!this._parser) return
    this.#stream.unpipe(this._parser)
    this._parser.isClosed = true
  }

  #send(): void {
    const text = this.#said
    const stream = this.#stream
    if (text === '' || this._upgrading) return
    this.#said = ''
    if (!stream.destroyed && !stream.writableEnded) stream.write(text)
  }

  #listen(): void {
    const stream = this.#stream
    stream.on('close', () => this.#closed())
    stream.on('error', () => {
      this.#broken = true
    })
    stream.on('end', () => {
      this.#inputEnded = true
    })
    const { tickMs } = this.#limits
    this.#connection.idleAfter(tickMs, () => this.#handler.tick(tickMs))
    if (this._parser) stream.pipe(this._parser)
  }

  #closed(): void {
    if (this.#gone) return
    this.#gone = true
    if (this._parser) this._parser.isClosed = true
    this._server.connections.delete(this)
    this.#handler.closed(this.#inputEnded && !this.#broken)
  }

  #parser(): WireStream {
    const parser = new WireStream(this.#limits.lineLength, this.#limits.needsCr, this.#limits.turns)
    const resume = (next: () => void) => () => {
      if (this.#said.length > mostHeld) this.#send()
      this._whenWritable(next)
    }
    parser.oncommand = (line, callback) => this.#handler.line(line, resume(callback ?? (() => {})))
    parser.ontoolong = (next) => this.#handler.lineTooLong(resume(next))
    parser.onbare = () => this.#handler.lineWithoutCr()
    parser.onpause = () => this.#send()
    parser.on('finish', () => {
      if (!parser.isClosed) this.#handler.inputEnded()
    })
    parser.on('error', () => this.close())
    return parser
  }

  /** The library asks for it in its constructor, too early for our fields; the real one is made afterwards. */
  override _createParser(): WireStream {
    return noParser
  }
}

/** Stands for the parser that is not made yet; it is never written to. */
const noParser = new WireStream(0, false, new Turns({ elapsed: () => 0 }))

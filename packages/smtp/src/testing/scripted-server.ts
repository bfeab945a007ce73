/**
 * A small SMTP or LMTP server whose every answer a test can write: for this package's dialogues and for whoever relays.
 * Connections are in memory (`connect`, `dialer`) or over loopback (`listen`). Not for anything but tests.
 */
import { once } from 'node:events'
import { createServer, connect as netConnect, type Server } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { connect as tlsConnect } from 'node:tls'
import type { Clock, Dialer } from '@pennypost/model'
import { ScriptedSession } from './scripted-session.ts'

export { certificate as scriptedCertificate } from './scripted-certificate.ts'
export { ScriptedSession } from './scripted-session.ts'

export type Verb =
  | 'GREETING'
  | 'EHLO'
  | 'LHLO'
  | 'HELO'
  | 'STARTTLS'
  | 'AUTH'
  | 'MAIL'
  | 'RCPT'
  | 'DATA'
  | 'BDAT'
  /** The end of content: the final dot, or BDAT LAST. In LMTP once for each recipient, whose argument it gets. */
  | 'CONTENT'
  | 'RSET'
  | 'QUIT'
  | 'OTHER'

/**
 * What is said: a reply's text (several lines with CRLF between), or more than that. Without `reply` the server falls
 * silent for good; with `drop` the connection breaks; `after` (CONTENT only) acts in the midst of content, at so many octets or
 * at a percentage of the declared SIZE; `delayMs` passes on the server's clock.
 */
export type Answer = string | { reply?: string; drop?: boolean; delayMs?: number; after?: number | `${number}%` }

/** One answer for all, one after the other (the last stays), or a function, which may return undefined: the default. */
export type Script =
  | Answer
  | Answer[]
  | ((argument: string, nth: number, session: ScriptedSession) => Answer | undefined)

export interface ScriptedServerOptions {
  protocol?: 'smtp' | 'lmtp'
  /** Lines of the EHLO reply behind the host name. */
  capabilities?: readonly string[]
  script?: Partial<Record<Verb, Script>>
  /** PEM of key and chain that STARTTLS shows; absent: those of scripted.test. */
  tls?: { key: string; cert: string }
  /** For `delayMs`. */
  clock?: Pick<Clock, 'after'>
}

/** A transaction that the server accepted: arguments of MAIL and RCPT as received, content without stuffed dots. */
export interface ScriptedTransaction {
  mail: string
  recipients: string[]
  content: Buffer
  secure: boolean
}

export class ScriptedServer implements AsyncDisposable {
  readonly sessions: ScriptedSession[] = []
  readonly transactions: ScriptedTransaction[] = []
  readonly #options: ScriptedServerOptions
  #server: Server | null = null

  constructor(options: ScriptedServerOptions = {}) {
    this.#options = options
  }

  /** A new connection in memory: the client's end. */
  connect(): Duplex {
    const [client, server] = duplexPair()
    // A copy, as TCP makes one: when the write is done, the octets are the client's again.
    const write = client._write.bind(client)
    client._write = (chunk: Buffer, encoding, done) => write(Buffer.from(chunk), encoding, done)
    this.#serve(server)
    return client
  }

  /** Reaches this server whatever the endpoint; TLS is real. */
  get dialer(): Dialer {
    return { connect: async () => this.connect(), secure: secureForTest }
  }

  /** Listens on loopback, at a port of the system's choice unless one is given; returns the port. */
  async listen({ address = '127.0.0.1', port = 0 } = {}): Promise<number> {
    this.#server = createServer((socket) => this.#serve(socket))
    this.#server.listen(port, address)
    await once(this.#server, 'listening')
    const bound = this.#server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : 0
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.sessions) session.drop()
    if (this.#server === null) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(stream: Duplex): void {
    const session = new ScriptedSession(stream, this.#options, (transaction) => this.transactions.push(transaction))
    this.sessions.push(session)
    void session.run()
  }
}

/** A dialer over plain sockets and Node's TLS, with none of what the real one has: for tests and benches. */
export const testDialer: Dialer = {
  async connect(to) {
    const socket = netConnect(to.port, to.address)
    await once(socket, 'connect')
    return socket
  },
  secure: secureForTest,
}

async function secureForTest(
  ...[stream, { servername, verify, ca, checkName, checkPeer }]: Parameters<Dialer['secure']>
): ReturnType<Dialer['secure']> {
  const secured = tlsConnect({
    socket: stream,
    servername,
    rejectUnauthorized: verify,
    ...(ca ? { ca: [...ca] } : {}),
    ...(checkName ? { checkServerIdentity: (_, certificate) => checkName(certificate) } : {}),
  })
  await once(secured, 'secureConnect')
  checkPeer?.(secured.getPeerCertificate(true))
  const error = secured.authorizationError as NodeJS.ErrnoException | string | null
  const unverified = typeof error === 'string' ? error : error?.code
  const tls = {
    protocol: secured.getProtocol() ?? '',
    cipher: secured.getCipher().name,
    verified: secured.authorized,
    ...(unverified === undefined ? {} : { unverified }),
  }
  return { stream: secured, tls }
}

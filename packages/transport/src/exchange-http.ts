import { type IncomingMessage, request } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/**
 * One question by HTTP over a connection that is already there, and its whole answer: how policies are fetched, reports
 * sent, and filters and hooks asked.
 *
 * Never broken: the answer is bounded in octets, the exchange by its signal; the caller ends the connection.
 */
export interface HttpQuestion {
  method: 'GET' | 'POST'
  path: string
  /** `Host` among them. */
  headers: Readonly<Record<string, string | string[]>>
  /** A stream is never whole in memory. */
  body?: Buffer | AsyncIterable<Buffer>
}

export interface HttpAnswer {
  status: number
  /** '' when it says none. */
  contentType: string
  body: Buffer
}

export interface HttpBounds {
  /** Of the answer's body. */
  octetsMax: number
  signal: AbortSignal
}

/** Answers of 1xx before the real one: each costs a turn of ours, and none has an end of its own. */
const interimMax = 20

/** Rejects when the answer is too long, breaks off, or changes the protocol; and with the signal. */
export function exchangeHttp(
  stream: Duplex,
  { method, path, headers, body }: HttpQuestion,
  { octetsMax, signal }: HttpBounds,
): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const asking = request({
    method,
    path,
    headers: { connection: 'close', ...headers },
    signal,
    createConnection: () => stream,
  })
  asking.on('error', reject)
  // Nobody asked for another protocol, and Node says nothing more of a request that was answered so.
  asking.on('upgrade', () => reject(new Error('HTTP status 101, which changes the protocol')))
  let interim = 0
  asking.on('information', () => {
    if (++interim > interimMax) asking.destroy(new Error(`more than ${interimMax} interim answers`))
  })
  asking.on('response', (response) => {
    readAll(response, octetsMax).then((octets) => {
      const { statusCode: status = 0, headers: said } = response
      resolve({ status, contentType: said['content-type'] ?? '', body: octets })
    }, reject)
  })
  if (body === undefined || Buffer.isBuffer(body)) asking.end(body)
  // Who has answered may have stopped reading; what counts is the answer.
  else pipeline(Readable.from(body, { objectMode: false }), asking).catch(reject)
  return promise
}

async function readAll(response: IncomingMessage, octetsMax: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > octetsMax) throw new Error(`the answer is longer than ${octetsMax} octets`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

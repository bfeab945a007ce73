import { request } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Dialer } from '@pennypost/model'
import type { FilterEndpoint } from './filter.ts'

/** One question by HTTP to a program of this machine or its network: the body streams, the answer is small. */
export interface HttpQuestion {
  path: string
  headers: Readonly<Record<string, string | readonly string[]>>
  body: AsyncIterable<Buffer>
}

const largestAnswer = 1024 * 1024

/** The answer of a server that says 200. Rejects for every other status, a larger answer, and the signal. */
export async function askByHttp(
  dialer: Dialer,
  endpoint: FilterEndpoint,
  { path, headers, body }: HttpQuestion,
  signal: AbortSignal,
): Promise<Buffer> {
  const stream = await dialer.connect(endpoint, signal)
  try {
    const answer = Promise.withResolvers<Buffer>()
    const asking = request({
      createConnection: () => stream,
      method: 'POST',
      path,
      headers: { host: 'localhost', connection: 'close', ...headers } as Record<string, string>,
      signal,
    })
    asking.on('error', answer.reject)
    // Nobody asked for another protocol, and Node says nothing more of a request that was answered so.
    asking.on('upgrade', () => answer.reject(new Error('HTTP status 101')))
    asking.on('response', (response) => {
      read(response).then((octets) => {
        if (response.statusCode === 200) answer.resolve(octets)
        else answer.reject(new Error(`HTTP status ${response.statusCode}`))
      }, answer.reject)
    })
    const sent = pipeline(Readable.from(body, { objectMode: false }), asking)
    // Who has answered may have stopped reading; what counts is the answer.
    sent.catch(answer.reject)
    return await answer.promise
  } finally {
    stream.destroy()
  }
}

async function read(response: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  let octets = 0
  for await (const piece of response) {
    octets += piece.length
    if (octets > largestAnswer) throw new Error('the answer is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** @throws when it is no JSON object. */
export function parseObject(octets: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(octets.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the answer is no object')
  return value as Record<string, unknown>
}

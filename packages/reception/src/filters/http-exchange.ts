import type { Dialer, Endpoint } from '@pennypost/model'
import { exchangeHttp } from '@pennypost/transport'

/** What a filter of this machine or its network is asked by HTTP: the body streams, the answer is small. */
export interface FilterQuestion {
  path: string
  headers: Readonly<Record<string, string | readonly string[]>>
  body: AsyncIterable<Buffer>
}

const largestAnswer = 1024 * 1024

/** The answer of a server that says 200. Rejects for every other status, a larger answer, and the signal. */
export async function askByHttp(
  dialer: Dialer,
  endpoint: Endpoint,
  { path, headers, body }: FilterQuestion,
  signal: AbortSignal,
): Promise<Buffer> {
  const stream = await dialer.connect(endpoint, signal)
  try {
    const question = { method: 'POST', path, headers: { host: 'localhost', ...headers }, body } as const
    const answer = await exchangeHttp(stream, question, { octetsMax: largestAnswer, signal })
    if (answer.status !== 200) throw new Error(`HTTP status ${answer.status}`)
    return answer.body
  } finally {
    stream.destroy()
  }
}

/** @throws when it is no JSON object. */
export function parseObject(octets: Buffer): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(octets.toString('utf8'))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('the answer is no object')
  return value as Record<string, unknown>
}

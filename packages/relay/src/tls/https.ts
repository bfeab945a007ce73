/**
 * One HTTPS request over our own resolver and dialer: policies of MTA-STS are fetched and TLS reports are sent by it.
 *
 * Never broken: the certificate stands for the name, or nothing is said; a redirect is an answer and is not followed
 * (RFC 8461 §3.3); time and octets are bounded.
 * Who calls it: the MTA-STS policies, and the reporter of TLS sessions.
 */
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Deadline, Dialer, Resolver } from '@pennypost/model'
import { exchangeHttp, type HttpAnswer } from '@pennypost/transport'

export interface HttpsOptions {
  resolver: Resolver
  dialer: Dialer
  deadline: Deadline
  /** PEM of the anchors that are trusted instead of the built-in ones. */
  ca?: readonly string[]
  timeoutMs: number
  /** Of the answer's body. */
  octetsMax: number
}

export interface HttpsRequest {
  method: 'GET' | 'POST'
  host: string
  port: number
  path: string
  headers?: Readonly<Record<string, string>>
  body?: Buffer
  signal?: AbortSignal
}

export type Https = (request: HttpsRequest) => Promise<HttpAnswer>

/** Rejects with an Error whose message says what went wrong, and with the system's `code` where there is one. */
export function createHttps(options: HttpsOptions): Https {
  return async (wanted) => {
    const signal = options.deadline.signal(options.timeoutMs, wanted.signal)
    let stream: Duplex | undefined
    try {
      stream = await connect(wanted, options, signal)
      const { method, host, port, path, headers = {}, body } = wanted
      const named = { host: port === 443 ? host : `${host}:${port}`, 'user-agent': 'Pennypost', ...headers }
      const question = { method, path, headers: named, ...(body ? { body } : {}) }
      return await exchangeHttp(stream, question, { octetsMax: options.octetsMax, signal })
    } catch (error) {
      throw signal.aborted && !wanted.signal?.aborted ? new Error(`no answer within ${options.timeoutMs} ms`) : error
    } finally {
      stream?.destroy()
    }
  }
}

async function connect(
  { host, port }: HttpsRequest,
  { resolver, dialer, ca }: HttpsOptions,
  signal: AbortSignal,
): Promise<Duplex> {
  let failure: unknown = new Error(`${host} has no address`)
  for (const address of await addressesOf(host, resolver, signal)) {
    try {
      const stream = await dialer.connect({ address, port }, signal)
      return (await dialer.secure(stream, { servername: host, verify: true, ...(ca ? { ca } : {}) }, signal)).stream
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

async function addressesOf(host: string, resolver: Resolver, signal: AbortSignal): Promise<string[]> {
  if (isIP(host) !== 0) return [host]
  const answers = await Promise.all([resolver.query(host, 'A', signal), resolver.query(host, 'AAAA', signal)])
  const addresses = answers.flatMap((answer) => (answer.status === 'found' ? answer.records : []))
  const failed = answers.find((answer) => answer.status === 'failed')
  if (addresses.length === 0 && failed?.status === 'failed') throw new Error(`${host}: ${failed.reason}`)
  return addresses.slice(0, 4)
}

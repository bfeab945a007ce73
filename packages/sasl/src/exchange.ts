import type { AuthenticationResult } from './authentication.ts'
import type { Authenticator } from './authenticator.ts'
import type { Mechanism, Peer } from './mechanism.ts'
import { decodeInitialResponse, decodeResponse, type Response } from './response.ts'

/** One SASL exchange (RFC 4422 §3), the same for SMTP, IMAP and POP3, which lend it their way of asking. */

export interface ExchangeOptions {
  mechanism: Mechanism
  /** In base64 as written, `=` for an empty one; undefined when the client sent none. */
  initialResponse: string | undefined
  authenticator: Authenticator
  peer: Peer
  /** As in `LoginAttempt`. */
  service: string
  address: string
  client?: { readonly hasLeft: boolean }
  /** Sends a challenge, in base64, and gives the line that answers it; undefined when there is none to be had. */
  ask(challenge: string): Promise<Buffer | string | undefined>
}

export type ExchangeEnd =
  | { kind: 'result'; result: AuthenticationResult; login: string }
  /** The client has given it up, with `*`, or by what `ask` takes for it. */
  | { kind: 'cancelled' }
  | { kind: 'malformed' }
  /** The client does not keep to the mechanism; `reason` is for the log. */
  | { kind: 'failed'; reason: string }
  /** `ask` gave nothing. */
  | { kind: 'unanswered' }

/** Plays the exchange to its end. Rejects only if `ask` does. */
export async function runExchange(options: ExchangeOptions): Promise<ExchangeEnd> {
  const { mechanism, initialResponse, authenticator, peer, service, address, client } = options
  let first: Buffer | undefined
  if (initialResponse !== undefined) {
    const response = decodeInitialResponse(initialResponse)
    if (response.kind !== 'octets') return response
    first = response.octets
  }
  let step = mechanism.start(first, peer)
  while (step.kind === 'challenge' || step.kind === 'salt') {
    if (step.kind === 'salt') {
      step = step.next(authenticator.scramSalt(step.login))
      continue
    }
    const response = await answer(options, step.octets)
    if (response.kind !== 'octets') return response
    step = step.next(response.octets)
  }
  if (step.kind === 'fail') return { kind: 'failed', reason: step.reason }
  const attempt = { ...step.claim, service, address, ...(client && { client }) }
  let result = await authenticator.authenticate(attempt)
  const last = mechanism.lastWord?.(result)
  if (last) {
    const response = await answer(options, last)
    if (result.ok) {
      // Whoever gives a refused exchange up is refused; only a success hangs on the answer.
      if (response.kind !== 'octets') return response
      // The client has taken its time, in which the account may have been suspended, or its password changed.
      result = await authenticator.authenticate(attempt)
    }
  }
  return { kind: 'result', result, login: 'login' in step.claim ? step.claim.login : '' }
}

async function answer(options: ExchangeOptions, octets: Buffer): Promise<Response | { kind: 'unanswered' }> {
  const line = await options.ask(octets.toString('base64'))
  return line === undefined ? { kind: 'unanswered' } : decodeResponse(line)
}

import type { Deadline } from '@pennypost/model'
import type { TokenCheck } from '@pennypost/sasl'

/** Asks the issuer of bearer tokens whose a token is (RFC 7662). The secret and the token never get into an error's text. */

export interface IntrospectionOptions {
  url: string
  clientId: string
  clientSecret: string
  /** The member of the answer that is the login name: `username` in the RFC, often `email`. */
  loginClaim: string
  /** One of its scopes has to be this; '': any. */
  scope: string
  discoveryUrl: string
  deadline: Deadline
  fetch: typeof globalThis.fetch
}

const timeoutMs = 5_000
const mostOctets = 65_536

export function createIntrospection(options: IntrospectionOptions): TokenCheck {
  const { url, clientId, clientSecret, loginClaim, scope, discoveryUrl, deadline, fetch } = options
  // RFC 6749 §2.3.1: both are form-encoded before they are put together.
  const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`
  return {
    discoveryUrl,
    async loginOf(token) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { authorization, accept: 'application/json' },
        body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
        redirect: 'error',
        signal: deadline.signal(timeoutMs),
      }).catch((error: Error) => {
        throw new Error(`the token issuer cannot be asked: ${reasonOf(error)}`, { cause: error })
      })
      if (!response.ok) throw new Error(`the token issuer answers ${response.status}`)
      const said = parse(await readBounded(response))
      const login = said.active === true && isFor(scope, said.scope) ? said[loginClaim] : undefined
      return typeof login === 'string' && login !== '' ? login : undefined
    },
  }
}

/** `fetch failed` is all that fetch says itself. */
function reasonOf({ message, cause }: Error): string {
  if (!(cause instanceof Error)) return message
  // Of several addresses, none of which answers, there is the code alone.
  return cause.message || String((cause as NodeJS.ErrnoException).code)
}

/** RFC 7662 §2.2: scopes are words. A token that was given to another program for something else is active too. */
function isFor(scope: string, scopes: unknown): boolean {
  return scope === '' || (typeof scopes === 'string' && scopes.split(' ').includes(scope))
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let octets = 0
  try {
    for await (const chunk of response.body ?? []) {
      octets += chunk.length
      if (octets > mostOctets) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw new Error(`the token issuer breaks off its answer: ${reasonOf(error as Error)}`, { cause: error })
  }
  if (octets > mostOctets) throw new Error('the token issuer answers with more than a token can have')
  return Buffer.concat(chunks).toString('utf8')
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below, without the text: it may hold what is in the token.
  }
  throw new Error('the token issuer answers with something else than a JSON object')
}

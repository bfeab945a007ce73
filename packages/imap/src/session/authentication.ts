import type { LoginClaim, SaslMechanism } from '../authenticator.ts'
import type { Completion } from '../command.ts'
import { ImapRefusal, no } from '../refusal.ts'
import type { Session } from './session.ts'

/** Whether a password may be sent on this connection (RFC 9051 §11.4). */
export function passwordsAllowed(session: Session): boolean {
  return session.connection.tls !== undefined || session.service.allowPlaintext
}

/**
 * Asks whether the claim is true and logs in. One answer for whatever is wrong with it, so that nobody learns which
 * accounts there are; the connection ends after too many.
 */
export async function authenticated(session: Session, claim: LoginClaim): Promise<Completion> {
  const { authenticator, registry, limits } = session.service
  const outcome = await authenticator.verify(claim, {
    service: 'imap',
    address: session.connection.remote.address,
    session: session.id,
  })
  switch (outcome.kind) {
    case 'ok':
      session.login(outcome.account)
      return { code: `CAPABILITY ${registry.capabilities(session)}`, text: 'Logged in' }
    case 'unavailable':
      throw no('UNAVAILABLE', 'The login can not be checked now, try again later')
    case 'throttled':
      throw no('LIMIT', 'Too many failed logins, try again later')
    case 'refused': {
      const last = ++session.failedLogins >= limits.failedLogins
      throw new ImapRefusal('NO', 'AUTHENTICATIONFAILED', 'Authentication failed', last ? 'Too many failed logins' : undefined)
    }
  }
}

/** The exchange of a SASL mechanism (RFC 9051 §6.2.2, RFC 4959 for the initial response). */
export async function runExchange(
  session: Session,
  mechanism: SaslMechanism,
  initialResponse: string | undefined,
): Promise<LoginClaim | 'cancelled' | 'malformed' | 'failed'> {
  let first: Buffer | undefined
  if (initialResponse !== undefined) {
    first = initialResponse === '=' ? Buffer.alloc(0) : base64(initialResponse)
    if (!first) return 'malformed'
  }
  let step = mechanism.start(first)
  while (step.kind === 'challenge') {
    const line = await session.ask(step.octets.toString('base64'))
    if (!line) return 'cancelled'
    const text = line.latin1Slice()
    if (text === '*') return 'cancelled'
    const response = base64(text)
    if (!response) return 'malformed'
    step = step.next(response)
  }
  return step.kind === 'verify' ? step.claim : 'failed'
}

/** The octets of a base64 text, undefined unless it is exactly that. */
function base64(text: string): Buffer | undefined {
  const octets = Buffer.from(text, 'base64')
  return octets.toString('base64') === text ? octets : undefined
}

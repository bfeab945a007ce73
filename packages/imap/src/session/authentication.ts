import { decodeInitialResponse, decodeResponse, type Mechanism, type PasswordClaim } from '@pennypost/sasl'
import type { Completion } from '../command.ts'
import { bad, ImapRefusal, no } from '../refusal.ts'
import type { Session } from './session.ts'

/** Whether a password may be sent on this connection (RFC 9051 §11.4). */
export function passwordsAllowed(session: Session): boolean {
  return session.connection.tls !== undefined || session.service.allowPlaintext
}

/** What AUTHENTICATE may name now. */
export function offeredMechanisms(session: Session): readonly Mechanism[] {
  const { mechanisms } = session.service
  return passwordsAllowed(session) ? mechanisms : mechanisms.filter((mechanism) => !mechanism.plaintext)
}

/**
 * Asks whether the claim is true and logs in. One answer for whatever is wrong with it, so that nobody learns which
 * accounts there are; the connection ends after too many.
 */
export async function logIn(session: Session, claim: PasswordClaim): Promise<Completion> {
  const { authenticator, registry, limits } = session.service
  const address = session.connection.remote.address
  const result = await authenticator.authenticate({ ...claim, service: 'imap', address })
  if (result.ok) {
    session.login(result.account)
    return { code: `CAPABILITY ${registry.capabilities(session)}`, text: 'Logged in' }
  }
  session.log.info({ login: claim.login, address, reason: result.reason }, 'login failed')
  if (result.reason === 'unavailable') throw no('UNAVAILABLE', 'The login can not be checked now, try again later')
  const last = ++session.failedLogins >= limits.failedLogins ? 'Too many failed logins' : undefined
  if (result.reason === 'throttled')
    throw new ImapRefusal('NO', 'LIMIT', 'Too many failed logins, try again later', last)
  if (result.reason === 'suspended') throw new ImapRefusal('NO', 'CONTACTADMIN', 'The account is suspended', last)
  throw new ImapRefusal('NO', 'AUTHENTICATIONFAILED', 'Authentication failed', last)
}

/** The exchange of a SASL mechanism (RFC 9051 §6.2.2; RFC 4959 for the initial response). */
export async function runExchange(
  session: Session,
  mechanism: Mechanism,
  initialResponse: string | undefined,
): Promise<PasswordClaim> {
  const first = initialResponse === undefined ? undefined : octetsOf(decodeInitialResponse(initialResponse))
  let step = mechanism.start(first)
  while (step.kind === 'challenge') {
    const line = await session.ask(step.octets.toString('base64'))
    if (!line) throw bad('Authentication was cancelled')
    step = step.next(octetsOf(decodeResponse(line)))
  }
  if (step.kind === 'verify') return step.claim
  session.log.info({ reason: step.reason }, 'login failed')
  throw no('AUTHENTICATIONFAILED', 'Authentication failed')
}

function octetsOf(response: ReturnType<typeof decodeResponse>): Buffer {
  if (response.kind === 'octets') return response.octets
  throw bad(response.kind === 'cancelled' ? 'Authentication was cancelled' : 'The response is not base64')
}

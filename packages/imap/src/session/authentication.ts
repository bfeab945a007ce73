import {
  type AuthenticationResult,
  loginForLog,
  type Mechanism,
  type Peer,
  runExchange,
  usableMechanisms,
} from '@pennypost/sasl'
import type { Completion } from '../command.ts'
import { bad, ImapRefusal, no } from '../refusal.ts'
import type { Session } from './session.ts'

/** Whether a password may be sent on this connection (RFC 9051 §11.4). */
export function passwordsAllowed(session: Session): boolean {
  return session.connection.tls !== undefined || !session.service.requireTlsForAuth
}

/** What AUTHENTICATE may name now. */
export function offeredMechanisms(session: Session): readonly Mechanism[] {
  const { authenticator, registry } = session.service
  const usable = usableMechanisms(authenticator.mechanisms, peerOf(session), passwordsAllowed(session))
  return usable.filter(({ name }) => !registry.masks(`AUTH=${name}`))
}

/**
 * The client as mechanisms see it. Where PLUS is disabled there is no channel to bind to, else SCRAM would take its absence
 * for an attack on a client that has it (RFC 5802 §6).
 */
function peerOf({ connection, service }: Session): Peer {
  if (!service.registry.masks('AUTH=SCRAM-SHA-256-PLUS')) return connection
  return { channelBinding: () => undefined, certifiedAddresses: connection.certifiedAddresses }
}

/** Asks whether the password is right and logs in (LOGIN). */
export async function logIn(session: Session, login: string, password: string): Promise<Completion> {
  const { connection: client } = session
  const { address } = client.remote
  const { authenticator } = session.service
  const attempt = { kind: 'password' as const, login, password, service: 'imap', address, client }
  const result = await authenticator.authenticate(attempt)
  return conclude(session, result, login)
}

/**
 * One answer for whatever is wrong with a login, so that nobody learns which accounts there are; the connection ends
 * after too many.
 */
function conclude(session: Session, result: AuthenticationResult, login: string): Completion {
  const { limits } = session.service
  const { address } = session.connection.remote
  if (result.ok) {
    session.login(result.account, result.actor.id)
    return { code: `CAPABILITY ${session.service.registry.capabilities(session)}`, text: 'Logged in' }
  }
  session.log.info({ login: loginForLog(login), remote: address, reason: result.reason }, 'login refused')
  if (result.reason === 'unavailable') throw no('UNAVAILABLE', 'The login cannot be checked now, try again later')
  const last = ++session.failedLogins >= limits.failedLogins ? 'Too many failed logins' : undefined
  if (result.reason === 'throttled')
    throw new ImapRefusal('NO', 'LIMIT', 'Too many failed logins, try again later', last)
  if (result.reason === 'suspended') throw new ImapRefusal('NO', 'CONTACTADMIN', 'The account is suspended', last)
  throw new ImapRefusal('NO', 'AUTHENTICATIONFAILED', 'Authentication failed', last)
}

/** The exchange of a SASL mechanism (RFC 9051 §6.2.2; RFC 4959 for the initial response), and login if it succeeds. */
export async function runMechanism(
  session: Session,
  mechanism: Mechanism,
  initialResponse: string | undefined,
): Promise<Completion> {
  const { authenticator } = session.service
  const { address } = session.connection.remote
  const end = await runExchange({
    mechanism,
    initialResponse,
    authenticator,
    peer: peerOf(session),
    service: 'imap',
    address,
    client: session.connection,
    ask: (challenge) => session.ask(challenge),
  })
  if (end.kind === 'result') return conclude(session, end.result, end.login)
  if (end.kind === 'malformed') throw bad('The response is not base64')
  if (end.kind !== 'failed') throw bad('Authentication was cancelled')
  session.log.info({ mechanism: mechanism.name, remote: address, reason: end.reason }, 'login malformed')
  throw no('AUTHENTICATIONFAILED', 'Authentication failed')
}

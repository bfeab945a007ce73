import { type AuthenticationResult, findMechanism, runExchange, usableMechanisms } from '@pennypost/sasl'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/** The AUTHORIZATION state: USER and PASS, AUTH, STLS. APOP is not offered: it would need passwords kept in clear. */

/** RFC 2595 §2.3: no password in clear text on a clear connection, unless the configuration allows it. */
export function mayShowPassword(session: Session): boolean {
  return session.connection.tls !== undefined || !session.options.requireTlsForAuth
}

export const user = {
  keyword: 'USER',
  rfc: 'RFC 1939 §7',
  states: ['authorization'],
  run(session, argument) {
    if (!mayShowPassword(session)) return session.refuse('[AUTH] Begin TLS first (STLS)')
    if (argument === '') return session.refuse('Syntax: USER name')
    // The same for every name: whether it exists is nobody's business before PASS.
    session.user = argument
    session.say('+OK Send PASS')
  },
} as const satisfies Command

export const pass = {
  keyword: 'PASS',
  rfc: 'RFC 1939 §7',
  states: ['authorization'],
  async run(session, password) {
    const login = session.user
    if (login === undefined) return session.refuse('USER first')
    session.user = undefined
    const { connection: client } = session
    const { address } = client.remote
    const { authenticator } = session.options
    return conclude(
      session,
      await authenticator.authenticate({ kind: 'password', login, password, service: 'pop3', address, client }),
    )
  },
} as const satisfies Command

export const auth = {
  keyword: 'AUTH',
  rfc: 'RFC 5034 §4',
  states: ['authorization'],
  async run(session, argument) {
    if (argument === '') {
      // Old clients ask so for the list of mechanisms.
      return session.say(['+OK', ...offeredMechanisms(session), '.'].join('\r\n'))
    }
    const [, name, initialResponse] = /^(\S+)(?: (\S+))?$/.exec(argument) ?? []
    const { authenticator } = session.options
    const mechanism = name === undefined ? undefined : findMechanism(authenticator.mechanisms, name)
    if (!mechanism) return session.refuse('Unknown authentication mechanism')
    if (mechanism.plaintext && !mayShowPassword(session)) return session.refuse('[AUTH] Begin TLS first (STLS)')
    const { connection } = session
    const end = await runExchange({
      mechanism,
      initialResponse,
      authenticator,
      peer: connection,
      service: 'pop3',
      address: connection.remote.address,
      client: connection,
      ask: (challenge) => session.challenge(`+ ${challenge}`),
    })
    switch (end.kind) {
      case 'result':
        return conclude(session, end.result)
      case 'cancelled':
        return session.refuse('Authentication cancelled')
      case 'unanswered':
        return session.refuse('Line too long')
      case 'malformed':
        return session.refuse('Invalid base64')
      case 'failed':
        return session.refuse('[AUTH] The response does not fit the mechanism')
    }
  },
} as const satisfies Command

export const stls = {
  keyword: 'STLS',
  rfc: 'RFC 2595 §4',
  states: ['authorization'],
  async run(session) {
    if (session.connection.tls) return session.refuse('TLS is already active')
    if (!session.options.offersTls) return session.refuse('TLS is not available')
    // Without TLS the connection is gone.
    await session.startTls().catch(() => {})
  },
} as const satisfies Command

export function offeredMechanisms(session: Session): string[] {
  const { mechanisms } = session.options.authenticator
  return usableMechanisms(mechanisms, session.connection, mayShowPassword(session)).map(({ name }) => name)
}

function conclude(session: Session, result: AuthenticationResult): void | Promise<void> {
  const { options, connection } = session
  if (session.ended) return
  if (result.ok) return session.enter(result.account, result.actor)
  session.log.info({ session: session.id, reason: result.reason, remote: connection.remote.address }, 'login refused')
  // RFC 3206: AUTH for what is wrong with the credentials, SYS/TEMP for what may pass.
  const temporary = result.reason === 'throttled' || result.reason === 'unavailable'
  const code = temporary ? '[SYS/TEMP]' : '[AUTH]'
  session.refuse(`${code} ${temporary ? 'Cannot log in now, try again later' : 'Login failed'}`)
  if (++session.authFailures >= options.limits.authFailures) session.end(`-ERR ${code} Too many failed logins`)
}

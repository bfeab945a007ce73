import { decodeInitialResponse, decodeResponse, findMechanism, mechanisms, type PasswordClaim } from '@pennypost/sasl'
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
  run(session, argument) {
    const login = session.user
    if (login === undefined) return session.refuse('USER first')
    session.user = undefined
    return verify(session, { login, password: argument })
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
    const [, name, initial] = /^(\S+)(?: (\S+))?$/.exec(argument) ?? []
    const mechanism = name === undefined ? undefined : findMechanism(name)
    if (!mechanism) return session.refuse('Unknown authentication mechanism')
    if (mechanism.plaintext && !mayShowPassword(session)) return session.refuse('[AUTH] Begin TLS first (STLS)')
    let response = initial === undefined ? undefined : decodeInitialResponse(initial)
    if (response && response.kind !== 'octets') return session.refuse('Invalid base64')
    let step = mechanism.start(response?.octets)
    while (step.kind === 'challenge') {
      response = decodeResponse(await session.challenge(`+ ${step.octets.toString('base64')}`))
      if (response.kind !== 'octets') {
        return session.refuse(response.kind === 'cancelled' ? 'Authentication cancelled' : 'Invalid base64')
      }
      step = step.next(response.octets)
    }
    if (step.kind === 'fail') return session.refuse('[AUTH] The response does not fit the mechanism')
    return verify(session, step.claim)
  },
} as const satisfies Command

export const stls = {
  keyword: 'STLS',
  rfc: 'RFC 2595 §4',
  states: ['authorization'],
  async run(session) {
    if (session.connection.tls) return session.refuse('TLS is already active')
    if (!session.options.offersTls) return session.refuse('TLS is not available')
    await session.startTls().catch((error: Error) => {
      session.log.info({ session: session.id, error: error.message }, 'no TLS session')
    })
  },
} as const satisfies Command

export function offeredMechanisms(session: Session): string[] {
  return mechanisms.filter((mechanism) => !mechanism.plaintext || mayShowPassword(session)).map(({ name }) => name)
}

async function verify(session: Session, claim: PasswordClaim): Promise<void> {
  const { options, connection } = session
  const address = connection.remote.address
  const result = await options.authenticator.authenticate({ ...claim, service: 'pop3', address })
  if (session.ended) return
  if (result.ok) return session.enter(result.account)
  session.log.info({ session: session.id, reason: result.reason, remote: address }, 'login refused')
  // RFC 3206: AUTH for what is wrong with the credentials, SYS/TEMP for what may pass.
  const temporary = result.reason === 'throttled' || result.reason === 'unavailable'
  session.refuse(temporary ? '[SYS/TEMP] Cannot log in now, try again later' : '[AUTH] Login failed')
  if (++session.authFailures >= options.limits.authFailures) session.end('-ERR [AUTH] Too many failed logins')
}

import {
  type AuthenticationResult,
  decodeInitialResponse,
  decodeResponse,
  findMechanism,
  mechanisms,
  type PasswordClaim,
  type Response,
} from '@pennypost/sasl'
import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/** Mechanisms that this session may use now: none where AUTH is not offered, or would show a password in clear. */
export function offeredMechanisms(session: Session): string[] {
  const { options } = session
  if (!options.offersAuth(session.service)) return []
  const secure = session.secure || !options.requireTlsForAuth
  return mechanisms.filter((mechanism) => secure || !mechanism.plaintext).map((mechanism) => mechanism.name)
}

export const auth = {
  verb: 'AUTH',
  rfc: 'RFC 4954 §4',
  syntax: 'AUTH mechanism [initial-response]',
  services: ['smtp', 'submission', 'submissions'],
  needsHello: true,
  needsAuth: false,
  async run(session, argument) {
    const { options } = session
    if (!options.offersAuth(session.service)) return replies.notImplemented
    if (session.account && !session.trusted) return replies.alreadyAuthenticated
    if (session.transaction) return replies.badSequence
    const [, name, initial] = /^(\S+)(?: +(\S+))?$/.exec(argument) ?? []
    if (name === undefined) return withText(replies.badArgument, 'Syntax: AUTH mechanism [initial-response]')
    const mechanism = findMechanism(name)
    if (!mechanism) return replies.mechanismUnknown
    if (mechanism.plaintext && !session.secure && options.requireTlsForAuth) return replies.encryptionRequired
    let response = initial === undefined ? undefined : decodeInitialResponse(initial)
    if (response && response.kind !== 'octets') return refusalOf(response)
    let step = mechanism.start(response?.octets)
    while (step.kind === 'challenge') {
      session.reply(reply(334, null, step.octets.toString('base64')))
      const line = await session.nextLine()
      if (line === undefined) return replies.authLineTooLong
      response = decodeResponse(line)
      if (response.kind !== 'octets') return refusalOf(response)
      step = step.next(response.octets)
    }
    if (step.kind === 'verify') return verify(session, step.claim)
    session.log.info({ session: session.id, mechanism: mechanism.name, reason: step.reason }, 'login malformed')
    return withText(replies.authBadBase64, 'The response does not fit the mechanism')
  },
} as const satisfies Command

function refusalOf(response: Exclude<Response, { kind: 'octets' }>): Reply {
  return response.kind === 'cancelled' ? replies.authCancelled : replies.authBadBase64
}

async function verify(session: Session, claim: PasswordClaim): Promise<Reply> {
  const { options } = session
  const { address } = session.client
  let result: AuthenticationResult
  try {
    result = await options.authenticator.authenticate({ ...claim, service: 'smtp', address })
  } catch (error) {
    session.log.error({ session: session.id, err: error }, 'login failed')
    return replies.authUnavailable
  }
  if (result.ok) {
    session.account = result.account
    session.trusted = false
    session.leaveAddressLimit()
    session.log.info({ session: session.id, login: result.account.login }, 'logged in')
    return replies.authenticated
  }
  session.log.info({ session: session.id, reason: result.reason, remote: address }, 'login refused')
  if (++session.authFailures >= options.limits.authFailures) return replies.tooManyErrors
  if (result.reason === 'invalid') return replies.authFailed
  return result.reason === 'suspended' ? withText(replies.authFailed, 'Account is suspended') : replies.authUnavailable
}

import {
  type AuthenticationResult,
  type ExchangeEnd,
  findMechanism,
  runExchange,
  usableMechanisms,
} from '@pennypost/sasl'
import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/** Mechanisms that this session may use now: none where AUTH is not offered, or would show a password in clear. */
export function offeredMechanisms(session: Session): string[] {
  const { options } = session
  if (!options.offersAuth(session.service)) return []
  const secure = session.secure || !options.requireTlsForAuth
  return usableMechanisms(options.authenticator.mechanisms, session.connection, secure).map(({ name }) => name)
}

export const auth = {
  verb: 'AUTH',
  rfc: 'RFC 4954 §4',
  syntax: 'AUTH mechanism [initial-response]',
  services: ['smtp', 'submission', 'submissions', 'odmr'],
  needsHello: true,
  needsAuth: false,
  isOffered: (session) => offeredMechanisms(session).length > 0,
  async run(session, argument) {
    const { options } = session
    if (!options.offersAuth(session.service)) return replies.notImplemented
    if (session.account && !session.trusted) return replies.alreadyAuthenticated
    if (session.transaction) return replies.badSequence
    const [, name, initial] = /^(\S+)(?: +(\S+))?$/.exec(argument) ?? []
    if (name === undefined) return withText(replies.badArgument, 'Syntax: AUTH mechanism [initial-response]')
    const mechanism = findMechanism(options.authenticator.mechanisms, name)
    if (!mechanism) return replies.mechanismUnknown
    if (mechanism.plaintext && !session.secure && options.requireTlsForAuth) return replies.encryptionRequired
    let end: ExchangeEnd
    try {
      end = await runExchange({
        mechanism,
        initialResponse: initial,
        authenticator: options.authenticator,
        peer: session.connection,
        service: 'smtp',
        address: session.client.address,
        client: session.connection,
        async ask(challenge) {
          session.reply(reply(334, null, challenge))
          return session.nextLine()
        },
      })
    } catch (error) {
      session.log.error({ err: error }, 'login failed')
      return replies.authUnavailable
    }
    if (end.kind === 'result') return conclude(session, end.result)
    if (end.kind === 'unanswered') return replies.authLineTooLong
    if (end.kind === 'cancelled') return replies.authCancelled
    if (end.kind === 'malformed') return replies.authBadBase64
    session.log.info({ mechanism: mechanism.name, reason: end.reason }, 'login malformed')
    return withText(replies.authBadBase64, 'The response does not fit the mechanism')
  },
} as const satisfies Command

function conclude(session: Session, result: AuthenticationResult): Reply {
  const { options, service } = session
  const remote = session.client.address
  if (result.ok) {
    session.identify(result.account, false, result.actor)
    session.origin.leaveAddressLimit()
    session.log.info({ service, login: result.account.login, remote }, 'logged in')
    return replies.authenticated
  }
  session.log.info({ service, reason: result.reason, remote }, 'login refused')
  if (++session.authFailures >= options.limits.authFailures) return replies.tooManyErrors
  if (result.reason === 'invalid') return replies.authFailed
  return result.reason === 'suspended' ? replies.accountDisabled : replies.authUnavailable
}

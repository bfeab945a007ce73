import { beforeLogin, type Command } from '../command.ts'
import { bad, no } from '../refusal.ts'
import { authenticated, passwordsAllowed, runExchange } from '../session/authentication.ts'

interface Args {
  mechanism: string
  /** As written: base64, or `=` for an empty one (RFC 4959 §3). */
  initialResponse: string | undefined
}

export const authenticate = {
  name: 'AUTHENTICATE',
  rfc: 'RFC 9051 §6.2.2',
  states: beforeLogin,
  effects: {},
  /** `"AUTHENTICATE" SP auth-type [SP initial-resp]` */
  parse(cursor) {
    cursor.sp()
    const mechanism = cursor.word('Mechanism')
    return { mechanism, initialResponse: cursor.skip(' ') ? cursor.rest() : undefined }
  },
  async run(session, { mechanism, initialResponse }) {
    const { authenticator } = session.service
    const chosen = authenticator.mechanisms(passwordsAllowed(session)).find(({ name }) => name === mechanism)
    if (!chosen) {
      const needsTls = authenticator.mechanisms(true).some(({ name }) => name === mechanism)
      if (needsTls) throw no('PRIVACYREQUIRED', 'Begin TLS first')
      throw no('', `The mechanism ${mechanism.slice(0, 40)} is not offered`)
    }
    const claim = await runExchange(session, chosen, initialResponse)
    if (claim === 'cancelled') throw bad('Authentication was cancelled')
    if (claim === 'malformed') throw bad('The response is not base64')
    if (claim === 'failed') throw no('AUTHENTICATIONFAILED', 'Authentication failed')
    return authenticated(session, claim)
  },
} satisfies Command<Args>

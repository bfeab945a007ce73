import { beforeLogin, type Command } from '../command.ts'
import { no } from '../refusal.ts'
import { offeredMechanisms, passwordsAllowed, runMechanism } from '../session/authentication.ts'

/** A login by a SASL mechanism; the exchange is in `session/authentication.ts`. */

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
    const chosen = offeredMechanisms(session).find(({ name }) => name === mechanism)
    if (!chosen) {
      const { mechanisms } = session.service.authenticator
      const needsTls = mechanisms.some(({ name, plaintext }) => plaintext && name === mechanism)
      if (needsTls && !passwordsAllowed(session)) throw no('PRIVACYREQUIRED', 'Begin TLS first')
      throw no('', `The mechanism ${mechanism.slice(0, 40)} is not offered`)
    }
    return runMechanism(session, chosen, initialResponse)
  },
} satisfies Command<Args>

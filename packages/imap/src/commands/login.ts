import { beforeLogin, type Command } from '../command.ts'
import { no } from '../refusal.ts'
import { logIn, passwordsAllowed } from '../session/authentication.ts'
import { utf8 } from '../wire/cursor.ts'

/** A login by name and password in clear: only over TLS, unless the configuration lets it. */

interface Args {
  login: string
  password: string
}

export const login = {
  name: 'LOGIN',
  rfc: 'RFC 9051 §6.2.3',
  states: beforeLogin,
  effects: {},
  /** `"LOGIN" SP userid SP password`, both astrings */
  parse(cursor) {
    cursor.sp()
    const login = utf8(cursor.astring('User name'))
    cursor.sp()
    return { login, password: utf8(cursor.astring('Password')) }
  },
  run(session, { login, password }) {
    if (!passwordsAllowed(session)) throw no('PRIVACYREQUIRED', 'Begin TLS first')
    return logIn(session, login, password)
  },
} satisfies Command<Args>

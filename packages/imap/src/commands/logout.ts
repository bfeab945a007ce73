import { always, type Command, noArguments } from '../command.ts'

/** The connection ends behind the completion; nothing is expunged. */
export const logout = {
  name: 'LOGOUT',
  rfc: 'RFC 9051 §6.1.3',
  states: always,
  effects: {},
  parse: noArguments,
  run(session) {
    session.unselect()
    session.bye('Logging out')
    return undefined
  },
} satisfies Command<undefined>

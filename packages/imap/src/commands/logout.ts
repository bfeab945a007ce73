import { always, type Command, noArguments } from '../command.ts'

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

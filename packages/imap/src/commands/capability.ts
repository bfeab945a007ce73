import { always, type Command, noArguments } from '../command.ts'

/** What may be used as the session stands now, out of what is registered. */
export const capability = {
  name: 'CAPABILITY',
  rfc: 'RFC 9051 §6.1.1',
  states: always,
  effects: {},
  parse: noArguments,
  run(session) {
    session.untagged(`CAPABILITY ${session.service.registry.capabilities(session)}`)
    return undefined
  },
} satisfies Command<undefined>

import { always, type Command, noArguments } from '../command.ts'

/** Does nothing, but as any command it ends with what others have changed meanwhile. */
export const noop = {
  name: 'NOOP',
  rfc: 'RFC 9051 §6.1.2',
  states: always,
  effects: {},
  parse: noArguments,
  run: () => undefined,
} satisfies Command<undefined>

import { type Command, noArguments, whenSelected } from '../command.ts'

/** RFC 9051 has dropped it; every change is durable as soon as the store says, so there is nothing to do. */
export const check = {
  name: 'CHECK',
  rfc: 'RFC 3501 §6.4.1',
  states: whenSelected,
  effects: {},
  parse: noArguments,
  run: () => undefined,
} satisfies Command<undefined>

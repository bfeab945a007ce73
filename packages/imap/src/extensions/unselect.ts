import { type Command, noArguments, whenSelected } from '../command.ts'
import type { Extension } from '../extension.ts'

/** Leaves the mailbox as CLOSE does, and expunges nothing. */
const unselect = {
  name: 'UNSELECT',
  rfc: 'RFC 9051 §6.4.2',
  states: whenSelected,
  effects: { leaves: true },
  parse: noArguments,
  run(session) {
    session.unselect()
    return undefined
  },
} satisfies Command<undefined>

export const unselectExtension: Extension = {
  name: 'UNSELECT',
  rfc: 'RFC 3691',
  capabilities: [{ name: 'UNSELECT' }],
  commands: [unselect],
}

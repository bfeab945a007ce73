import { delimiter } from '@pennypost/model'
import { type Command, loggedIn, noArguments } from '../command.ts'
import type { Extension } from '../extension.ts'

/** One personal namespace without a prefix (DESIGN §5); nothing is shared yet. */
const namespace = {
  name: 'NAMESPACE',
  rfc: 'RFC 9051 §6.3.10',
  states: loggedIn,
  effects: {},
  parse: noArguments,
  run(session) {
    session.untagged(`NAMESPACE (("" "${delimiter}")) NIL NIL`)
    return undefined
  },
} satisfies Command<undefined>

export const namespaceExtension: Extension = {
  name: 'NAMESPACE',
  rfc: 'RFC 2342',
  capabilities: [{ name: 'NAMESPACE' }],
  commands: [namespace],
}

import { delimiter, othersPrefix } from '@pennypost/model'
import { sharesMailboxes } from '../access/find-mailbox.ts'
import { type Command, loggedIn, noArguments } from '../command.ts'
import type { Extension } from '../extension.ts'

/** One personal namespace without a prefix, and one for what others share, whether they do or not. */
const namespace = {
  name: 'NAMESPACE',
  rfc: 'RFC 9051 §6.3.10',
  states: loggedIn,
  effects: {},
  parse: noArguments,
  run(session) {
    const others = sharesMailboxes(session) ? `(("${othersPrefix}${delimiter}" "${delimiter}"))` : 'NIL'
    session.untagged(`NAMESPACE (("" "${delimiter}")) ${others} NIL`)
    return undefined
  },
} satisfies Command<undefined>

export const namespaceExtension: Extension = {
  name: 'NAMESPACE',
  rfc: 'RFC 2342',
  capabilities: [{ name: 'NAMESPACE' }],
  commands: [namespace],
}

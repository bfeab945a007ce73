import { type Command, loggedIn, noArguments } from '../command.ts'
import type { Extension } from '../extension.ts'

/**
 * Back to before login, on the same connection (RFC 8437): for clients that act for many accounts. It cannot fail,
 * since a login may be pipelined behind it.
 */
const unauthenticate = {
  name: 'UNAUTHENTICATE',
  rfc: 'RFC 8437 §3',
  states: loggedIn,
  effects: {},
  parse: noArguments,
  run(session) {
    session.unauthenticate()
    return { code: `CAPABILITY ${session.service.registry.capabilities(session)}`, next: 'decompress' }
  },
} satisfies Command<undefined>

export const unauthenticateExtension: Extension = {
  name: 'UNAUTHENTICATE',
  rfc: 'RFC 8437',
  capabilities: [{ name: 'UNAUTHENTICATE', states: loggedIn }],
  commands: [unauthenticate],
}

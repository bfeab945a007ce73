import { beforeLogin, type Command, noArguments } from '../command.ts'
import { bad } from '../refusal.ts'

/** What the client pipelined behind it in clear is thrown away before the handshake (RFC 9051 §6.2.1, §11.1). */
export const starttls = {
  name: 'STARTTLS',
  rfc: 'RFC 9051 §6.2.1',
  states: beforeLogin,
  effects: {},
  parse: noArguments,
  run(session) {
    if (session.connection.tls) throw bad('TLS is in use already')
    if (!session.service.offersTls) throw bad('TLS is not available here')
    return { text: 'Begin the TLS negotiation now', next: 'startTls' }
  },
} satisfies Command<undefined>

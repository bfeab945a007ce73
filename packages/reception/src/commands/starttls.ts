import { printReply, replies } from '@pennypost/smtp'
import type { Command } from '../command.ts'

export const startTls = {
  verb: 'STARTTLS',
  rfc: 'RFC 3207 §4',
  syntax: 'STARTTLS',
  needsHello: true,
  needsAuth: false,
  bare: true,
  async run(session) {
    if (session.secure) return replies.alreadySecure
    if (!session.options.offersTls(session.service)) return replies.notImplemented
    session.forget()
    try {
      await session.wire.startTls(printReply(replies.readyForTls))
    } catch (error) {
      session.log.info({ session: session.id, error: (error as Error).message }, 'no TLS session')
    }
    return undefined
  },
} as const satisfies Command

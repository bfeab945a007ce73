import { printReply, replies } from '@pennypost/smtp'
import type { Command } from '../command.ts'

/**
 * The session begins anew under TLS. What was said in clear counts for nothing from here on; that nothing is run which was
 * sent in clear behind the command is the wire's to see to (RFC 3207 §4.2).
 */
export const startTls = {
  verb: 'STARTTLS',
  rfc: 'RFC 3207 §4',
  syntax: 'STARTTLS',
  needsHello: true,
  needsAuth: false,
  bare: true,
  isOffered: (session) => !session.secure && session.options.offersTls(session.service),
  async run(session) {
    if (session.secure) return replies.alreadySecure
    if (!session.options.offersTls(session.service)) return replies.notImplemented
    session.forget()
    // Without TLS the connection is gone.
    await session.wire.startTls(printReply(replies.readyForTls)).catch(() => {})
    return undefined
  },
} as const satisfies Command

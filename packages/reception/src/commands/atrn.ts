import { replies, reply, withText } from '@pennypost/smtp'
import type { Command } from '../command.ts'

/**
 * RFC 2645: a host without an address of its own logs in and fetches what waits for its domains. The connection turns
 * round: from the 250 on, we are the client and it is the server.
 */
export const atrn = {
  verb: 'ATRN',
  rfc: 'RFC 2645 §5.2.1',
  syntax: 'ATRN [domain,...]',
  services: ['odmr'],
  needsHello: true,
  needsAuth: true,
  isOffered: (session) => session.options.turnRound !== undefined,
  async run(session, argument) {
    const { options, account, client } = session
    if (!options.turnRound || !account) return replies.notImplemented
    const domains = argument === '' ? [] : argument.toLowerCase().split(',')
    if (domains.length > mostDomains || domains.some((domain) => !/^[a-z0-9_.-]{1,255}$/.test(domain))) {
      return withText(replies.badArgument, 'Syntax: ATRN [domain,...]')
    }
    try {
      const answer = await options.turnRound(account, domains)
      if (answer === 'refused') return reply(450, '4.7.1', 'ATRN request refused')
      if (answer === 'empty') return reply(453, '4.3.2', 'You have no mail')
      if (answer === 'busy') return reply(451, '4.3.2', 'Unable to process ATRN request now')
      const stream = session.handOver(reply(250, null, 'OK now reversing the connection'))
      const { address, port } = client
      if (stream) answer.take({ stream, address, port, tls: session.connection.tls })
      return undefined
    } catch (error) {
      session.log.error({ err: error }, 'queue not handed over')
      return reply(451, '4.3.0', 'Unable to process ATRN request now')
    }
  },
} as const satisfies Command

const mostDomains = 100

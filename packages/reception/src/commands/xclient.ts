import { lookupAddress } from '@pennypost/model'
import { type Reply, replies, reply, withText } from '@pennypost/smtp'
import { type ClientAttributes, parseClientAttributes } from '../client-attributes.ts'
import type { Command } from '../command.ts'
import type { Session } from '../session.ts'

/**
 * Postfix's XCLIENT and XFORWARD (its XCLIENT_README and XFORWARD_README): a proxy in front of us says whose commands it
 * passes on. XCLIENT makes the session another client's, which is greeted anew; XFORWARD is for journeys only.
 */
const refusal = reply(550, '5.7.0', 'Not from here')
export const xclientAttributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'LOGIN', 'DESTADDR', 'DESTPORT'] as const
export const xforwardAttributes = ['NAME', 'ADDR', 'PORT', 'PROTO', 'HELO', 'IDENT', 'SOURCE'] as const

export const xclient = {
  verb: 'XCLIENT',
  rfc: 'Postfix XCLIENT_README',
  syntax: 'XCLIENT NAME=value ... (from trusted proxies only)',
  needsHello: true,
  needsAuth: false,
  isOffered: (session) => session.mayNameClient,
  async run(session, argument) {
    const attributes = whatIsSaid(session, argument, xclientAttributes)
    if ('code' in attributes) return attributes
    const login = attributes.get('LOGIN')
    const account = login === undefined ? undefined : await findAccount(session, login)
    if (login !== undefined && !account) return withText(replies.badArgument, 'LOGIN is nobody here')
    if (session.ended) return undefined
    const { address, port } = session.client
    const helo = attributes.get('HELO')
    session.trusted = false
    session.forget()
    session.client = {
      // Whom the proxy does not know is nobody, and not the proxy.
      address: attributes.has('ADDR') ? (attributes.get('ADDR') ?? '') : address,
      port: Number(attributes.get('PORT') ?? port),
      ...(helo === undefined ? {} : { helo }),
    }
    // Of LMTP clients nobody is a stranger, whomever they name.
    if (attributes.has('ADDR') && !session.isLmtp && session.origin.countAs(session.client.address)) {
      return replies.tooManyConnections
    }
    session.greet()
    if (account) {
      session.identify(account)
      session.origin.leaveAddressLimit()
    }
    return undefined
  },
} as const satisfies Command

export const xforward = {
  verb: 'XFORWARD',
  rfc: 'Postfix XFORWARD_README',
  syntax: 'XFORWARD NAME=value ... (from trusted relays only)',
  needsHello: true,
  needsAuth: false,
  isOffered: (session) => session.mayNameClient,
  run(session, argument) {
    const attributes = whatIsSaid(session, argument, xforwardAttributes)
    if ('code' in attributes) return attributes
    const address = attributes.get('ADDR')
    const helo = attributes.get('HELO')
    session.forwarded = {
      ...session.forwarded,
      ...(address === undefined ? {} : { address }),
      ...(helo === undefined ? {} : { helo }),
    }
    return replies.ok
  },
} as const satisfies Command

function whatIsSaid(session: Session, argument: string, known: readonly string[]): ClientAttributes | Reply {
  if (!session.mayNameClient) return refusal
  if (session.transaction) return replies.badSequence
  const attributes = parseClientAttributes(argument, known)
  return typeof attributes === 'string' ? withText(replies.badArgument, attributes) : attributes
}

async function findAccount(session: Session, login: string) {
  const key = lookupAddress(login)
  const account = key === undefined ? undefined : await session.options.store.directory.accountByLogin(key)
  return account && !account.suspended && account.removedAt === null ? account : undefined
}
